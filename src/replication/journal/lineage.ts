/** A record `rewind`: behind it the content is that of an earlier position. */
export interface Rewind {
  position: number
  to: number
  /** Of the position that it goes back to. */
  time: number
}

/** Positions behind `after`, up to `through`. */
export interface PositionRange {
  after: number
  through: number
}

/** Which records make up the content at a position: rewinds take away what is between. `rewinds` are in their order. */
export function lineageOf(position: number, rewinds: readonly Rewind[]): PositionRange[] {
  const ranges: PositionRange[] = []
  let through = position
  for (let index = rewinds.length - 1; index >= 0; index--) {
    const rewind = rewinds[index]!
    if (rewind.position > through) continue
    if (rewind.position < through) ranges.push({ after: rewind.position, through })
    through = rewind.to
  }
  ranges.push({ after: 0, through })
  return ranges.reverse()
}

export const isIn = (position: number, ranges: readonly PositionRange[]): boolean =>
  ranges.some(range => position > range.after && position <= range.through)

/** Whether a position counts, from the view of those whose ranges these are; a rewind itself and 0 do too. */
export function isAlive(position: number, last: number, rewinds: readonly Rewind[]): boolean {
  if (position > last) return false
  return !rewinds.some(rewind => rewind.position <= last && position > rewind.to && position < rewind.position)
}

/**
 * The last position that counts at `last` and up to which the content at `position` came about as that at `last` did: itself, if it was not
 * undone. What a rewind goes back to counted then, so the rewinds that undid a position lie one in the other.
 */
export function commonAncestor(position: number, last: number, rewinds: readonly Rewind[]): number {
  let common = position
  for (const rewind of rewinds)
    if (rewind.position <= last && position > rewind.to && position < rewind.position)
      common = Math.min(common, rewind.to)
  return common
}
