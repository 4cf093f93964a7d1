/** The last moment that a Date knows, in milliseconds. */
const latest = 8.64e15

/** A moment to the second, as people read it: `2026-11-27 12:00:00Z`. @param time in microseconds since 1970; may be anything */
export function momentText(time: unknown): string {
  if (typeof time !== 'number' || !(Math.abs(time / 1000) <= latest)) return 'an unknown time'
  return new Date(time / 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}
