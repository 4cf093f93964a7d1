import type { Geometry as KeepGeometry } from '../keep/geometry.js'

/** How a disk is divided. The usual block is of 4096 bytes, an extent of 1024 blocks (4 MiB), and 1237 extents may be active. */
export interface Geometry extends KeepGeometry {
  /** How many bytes the epoch log may have: the most that one epoch may write, and what the secondary still has to apply. */
  readonly logSize: number
}

export const usualGeometry = { blockSize: 4096, extentBlocks: 1024, activeExtents: 1237, logSize: 1024 * 1024 * 1024 }

/** How many zeroes are written at once, in bytes: the disk is busy with them. */
export const zeroesAtMost = 8 * 1024 * 1024

/** The largest disk, in bytes: its bitmap has 256 MiB. */
export const largestDisk = 2 ** 43

/** The highest number that a promotion may have: there are as many again to come. */
export const highestPromotion = 2 ** 52 - 1
