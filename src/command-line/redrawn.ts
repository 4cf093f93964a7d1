import type { Size } from './io.js'

/** What puts lines on a terminal in the place of those that were drawn before. A line never goes on in the next. */
export function redrawn(lines: readonly string[], before: number, size: Size): string {
  const up = before === 0 ? '' : `\x1b[${before}A`
  return `${up}\r${drawn(lines, size)}\x1b[J`
}

/** What fills a terminal from its top. */
export const fullScreen = (lines: readonly string[], size: Size): string =>
  `\x1b[H${drawn(fitting(lines, size), size)}\x1b[J`

/** As many lines as a terminal shows at once, and how many more there are. */
export function fitting(lines: readonly string[], { rows }: Size): readonly string[] {
  const most = Math.max(1, rows - 2)
  return lines.length <= most ? lines : [...lines.slice(0, most), `… and ${lines.length - most} more`]
}

const drawn = (lines: readonly string[], { columns }: Size): string =>
  lines.map(line => `\x1b[2K${cut(line, columns)}\n`).join('')

function cut(line: string, columns: number): string {
  const letters = [...line]
  return letters.length < columns ? line : `${letters.slice(0, Math.max(0, columns - 2)).join('')}…`
}
