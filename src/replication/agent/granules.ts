import { granuleSize } from '../wire/message.js'

/** The granule that a byte is in. */
export const firstGranule = (offset: number): number => Math.floor(offset / granuleSize)
/** The granule after the last one of some bytes. */
export const granuleEnd = (offset: number, length: number): number => Math.ceil((offset + length) / granuleSize)
