import type { VolumeInfo } from '#xenlight/replication/wire/message.js'

/** What a volume is written in: each of them holds one number, again and again. In bytes. */
export const cellSize = 256

export interface Written {
  volume: number
  start: number
  end: number
}

/** A record of a journal, and all that is true behind it. */
export interface Moment {
  position: number
  /** The one before it in the journal. */
  before: Moment | undefined
  /** The one that its content came about from: of a rewind what it goes back to. */
  parent: Moment | undefined
  time: number
  isOffered: boolean
  isSettled: boolean
  /** Names that it gives, and to which position. */
  names: { name: string; moment: Moment } | undefined
  written: Written | undefined
  contents: ReadonlyMap<number, Uint32Array>
  volumes: ReadonlyMap<number, VolumeInfo>
  stream: ModelStream | undefined
}

export interface ModelStream {
  stream: string
  epoch: number
  sequence: number
  /** Of its first message. */
  since: number | undefined
  earlier: readonly { stream: string; sequence: number }[]
}

export const emptyMoment: Moment = {
  position: 0,
  before: undefined,
  parent: undefined,
  time: 0,
  isOffered: false,
  isSettled: false,
  names: undefined,
  written: undefined,
  contents: new Map(),
  volumes: new Map(),
  stream: undefined,
}

/** A stream with one message more. One that lasts for more than a minute is known to its agent. */
export function withMessage(stream: ModelStream, { sequence, time }: { sequence: number; time: number }): ModelStream {
  const { since = time, earlier } = stream
  return { ...stream, sequence, since, earlier: Math.abs(time - since) > 60e6 ? [] : earlier }
}

/** Those that a moment's content came about through, itself first. */
export function* lineage(moment: Moment): Generator<Moment> {
  for (let one: Moment | undefined = moment; one !== undefined; one = one.parent) yield one
}

/** All records up to a moment, the last one first. */
export function* recordsBefore(moment: Moment): Generator<Moment> {
  for (let one: Moment | undefined = moment; one !== undefined; one = one.before) yield one
}

/** The points of a journal that ends with a moment, by their order. */
export const offeredAt = (moment: Moment): Moment[] => [...lineage(moment)].filter(one => one.isOffered).reverse()

/** Whether a moment is in the journal that ends with an other one. */
export const isBehind = (last: Moment, moment: Moment): boolean => {
  for (const one of recordsBefore(last)) if (one === moment) return true
  return false
}

/** Contents with one part of a volume written. */
export function withCells(
  contents: ReadonlyMap<number, Uint32Array>,
  volume: number,
  first: number,
  count: number,
  value: number,
): Map<number, Uint32Array> {
  const cells = new Uint32Array(contents.get(volume)!)
  cells.fill(value, first, first + count)
  return new Map(contents).set(volume, cells)
}

/** The bytes of some cells. */
export function cellBytes(count: number, value: number): Uint8Array {
  const bytes = new Uint32Array((count * cellSize) / 4).fill(value)
  return new Uint8Array(bytes.buffer)
}
