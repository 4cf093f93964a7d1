import type { OverlayNode } from './graph/secondary-state.js'

/** How full an overlay is, in bytes. */
export interface OverlayFill {
  overlay: 'active' | 'hidden'
  file: string
  used: number | undefined
  /** The most that it can come to: its disk's size. */
  size: number
  /** What its file system has left; undefined where that is not known. */
  free: number | undefined
}

/** Asks how many bytes a file's file system has left; undefined where it cannot be known. */
export type FreeSpace = (file: string) => Promise<number | undefined>

export async function overlayFill(
  overlay: OverlayFill['overlay'],
  { file, actualSize, virtualSize }: OverlayNode,
  freeSpace: FreeSpace | undefined,
): Promise<OverlayFill> {
  let free: number | undefined
  try {
    free = await freeSpace?.(file)
  } catch {
    // it stays unknown
  }
  return { overlay, file, used: actualSize, size: virtualSize, free }
}

/** What is left is less than a fifth of what was there, and less than the overlay may still grow. */
export function isFilling({ used = 0, size, free }: OverlayFill): boolean {
  if (free === undefined) return false
  return free < size - used && free < (free + used) / 5
}
