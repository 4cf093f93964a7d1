/** How a disk is divided. */
export interface Geometry {
  /** Of the disk, in bytes; a multiple of 512. */
  readonly size: number
  /** What one bit of the bitmap stands for, in bytes. The last block may be shorter. */
  readonly blockSize: number
  /** How many blocks one entry of the activity log stands for. */
  readonly extentBlocks: number
  /** How many extents may be active at a time. More of them: fewer writes of metadata, more to compare after a crash. */
  readonly activeExtents: number
  /** Where an extent has to leave for another, so many more leave with it: each time costs three syncs. 0 by default. */
  readonly roomAhead?: number | undefined
}

export const blocksOf = ({ size, blockSize }: Geometry): number => Math.ceil(size / blockSize)

/** The blocks that some bytes touch: the first, and the one after the last. */
export const blockRange = (
  { blockSize }: Pick<Geometry, 'blockSize'>,
  offset: number,
  length: number,
): [first: number, end: number] => [Math.floor(offset / blockSize), Math.ceil((offset + length) / blockSize)]
