import type { Diagnostic, Span } from '../xlu/diagnostic.js'
import { formatDiagnostic } from '../xlu/format-diagnostic.js'
import { LineIndex } from '../xlu/line-index.js'
import { bounded } from './bounded.js'
import type { Io } from './io.js'
import type { SourceFile } from './placed-disk.js'

/** As each shows a piece of the text, more of them than anybody reads would take long. */
const shownAtMost = 100

/** Writes diagnostics on standard error: for people, or one JSON object a line. */
export function report(
  diagnostics: readonly Diagnostic[],
  form: 'text' | 'json',
  file: SourceFile | undefined,
  io: Io,
): void {
  if (diagnostics.length > 0)
    io.write(2, form === 'json' ? jsonLines(diagnostics, file) : textOf(diagnostics, file, io))
}

function textOf(diagnostics: readonly Diagnostic[], file: SourceFile | undefined, io: Io): string {
  const color = !io.env.NO_COLOR && io.env.TERM !== 'dumb' && io.isTerminal(2)
  const options = { color, ...(file && { filename: file.filename }) }
  const shown = diagnostics.slice(0, shownAtMost).map(diagnostic => formatDiagnostic(diagnostic, options))
  const more = diagnostics.length - shown.length
  return `${shown.join('')}${more > 0 ? `… and ${more} more\n` : ''}`
}

/** Of a file, line and column stand in the place of its whole text. */
function jsonLines(diagnostics: readonly Diagnostic[], file: SourceFile | undefined): string {
  const lines = file && new LineIndex(file.text)
  const placed = <T extends Span>({ spec, ...rest }: T): object => {
    if (lines === undefined) return { spec, ...rest }
    const { line, column } = lines.at(rest.start)
    return { filename: file?.filename, line, column, ...rest }
  }
  return (lines ? diagnostics : bounded(diagnostics))
    .map(({ notes, ...diagnostic }) => `${JSON.stringify({ ...placed(diagnostic), notes: notes.map(placed) })}\n`)
    .join('')
}
