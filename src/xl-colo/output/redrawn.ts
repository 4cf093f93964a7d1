/** What puts lines on a terminal in the place of those that were drawn before. A line never goes on in the next. */
export function redrawn(lines: readonly string[], before: number, columns: number): string {
  const up = before === 0 ? '' : `\x1b[${before}A`
  const drawn = lines.map(line => `\x1b[2K${cut(line, columns)}\n`).join('')
  return `${up}\r${drawn}\x1b[J`
}

function cut(line: string, columns: number): string {
  const letters = [...line]
  return letters.length < columns ? line : `${letters.slice(0, Math.max(0, columns - 2)).join('')}…`
}
