/** @type {readonly [number, string][]} */
const durations = [
  [1, 's'],
  [60, 'min'],
  [3600, 'h'],
  [86_400, 'd'],
]
const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/**
 * How long something takes, as people write it: `0.3 s`, `90 s`, `5 min`.
 *
 * @param {number} milliseconds
 */
export function durationText(milliseconds) {
  if (milliseconds < 1000) return `${Number(milliseconds.toPrecision(2))} ms`
  const seconds = milliseconds / 1000
  const [length, unit] = durations.findLast(([length]) => seconds >= 2 * length) ?? [1, 's']
  const value = Math.round((seconds / length) * 10) / 10
  return `${value >= 10 ? Math.round(value) : value} ${unit}`
}

/**
 * A number of bytes, as people write it: `1.5 GiB`.
 *
 * @param {number} bytes
 */
export function bytesText(bytes) {
  let scale = 0
  let value = bytes
  for (; value >= 1024 && scale < sizes.length - 1; scale++) value /= 1024
  return `${scale === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${sizes[scale]}`
}

/** @param {number} number */
const two = number => String(number).padStart(2, '0')

/**
 * The time of day in UTC, as the command line has it.
 *
 * @param {number} time in milliseconds since 1970
 */
export function clockText(time) {
  const date = new Date(time)
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

/**
 * A date and a time in UTC, to the second.
 *
 * @param {number} time in milliseconds since 1970
 */
export const dateText = time => new Date(time).toISOString().slice(0, 19).replace('T', ' ')

/**
 * A moment as `--at` takes it.
 *
 * @param {number} time in microseconds since 1970
 */
export function momentText(time) {
  const milliseconds = Math.floor(time / 1000)
  const rest = String(Math.round(time - milliseconds * 1000)).padStart(3, '0')
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`
}

/**
 * A word of a command line, as a shell takes it.
 *
 * @param {string} text
 */
export const shellWord = text => (/^[\w.:/#-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
