import type { BlockExtent } from '../block-backend.js'

/** What a client is shown of the extents that a backend gave: nothing behind its request. Undefined where they are none. */
export function shownExtents(given: unknown, length: number, atMost: number): BlockExtent[] | undefined {
  if (!Array.isArray(given)) return undefined
  const shown: BlockExtent[] = []
  let left = length
  for (const extent of given as (Partial<BlockExtent> | undefined)[]) {
    if (left === 0 || shown.length === atMost) break
    const size = extent?.length
    if (!Number.isSafeInteger(size) || size! <= 0) return undefined
    const part = Math.min(size!, left)
    shown.push({ length: part, hole: extent!.hole === true, zero: extent!.zero === true })
    left -= part
  }
  return shown.length === 0 ? undefined : shown
}
