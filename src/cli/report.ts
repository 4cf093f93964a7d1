import type { Diagnostic, Span } from '../xlu/diagnostic.js'
import { formatDiagnostic } from '../xlu/format-diagnostic.js'
import { LineIndex } from '../xlu/line-index.js'
import { bounded } from './bounded.js'
import type { Io } from './io.js'
import type { SourceFile } from './placed-disk.js'
import { writePieces } from './write-pieces.js'

/** As each shows a piece of the text, more of them than anybody reads would take long. */
const shownAtMost = 100
/** A line of JSON is quickly written, but a log is to hold them. */
const writtenAtMost = 10_000

/** Writes diagnostics on standard error: for people, or one JSON object a line. */
export function report(
  diagnostics: readonly Diagnostic[],
  form: 'text' | 'json',
  file: SourceFile | undefined,
  io: Io,
): void {
  writePieces(2, form === 'json' ? jsonLines(diagnostics, file) : texts(diagnostics, file, io), io)
}

function* texts(diagnostics: readonly Diagnostic[], file: SourceFile | undefined, io: Io): Iterable<string> {
  const color = !io.env.NO_COLOR && io.env.TERM !== 'dumb' && io.isTerminal(2)
  const options = { color, ...(file && { filename: file.filename }) }
  const shown = atMost(diagnostics, shownAtMost)
  for (const diagnostic of shown) yield formatDiagnostic(diagnostic, options)
  const more = diagnostics.length - shown.length
  if (more > 0) yield `… and ${more} more\n`
}

/** Of a file, line and column stand in the place of its whole text. */
function* jsonLines(diagnostics: readonly Diagnostic[], file: SourceFile | undefined): Iterable<string> {
  const lines = file && new LineIndex(file.text)
  const placed = <T extends Span>({ spec, ...rest }: T): object => {
    if (lines === undefined) return { spec, ...rest }
    const { line, column } = lines.at(rest.start)
    return { filename: file?.filename, line, column, ...rest }
  }
  const written = atMost(lines ? diagnostics : bounded(diagnostics), writtenAtMost)
  for (const { notes, ...diagnostic } of written)
    yield `${JSON.stringify({ ...placed(diagnostic), notes: notes.map(placed) })}\n`
  const more = diagnostics.length - written.length
  if (more > 0) yield `{"more":${more}}\n`
}

/** The first so many, in their order. Where there is no room for all, no error is left out for a warning. */
function atMost(diagnostics: readonly Diagnostic[], count: number): readonly Diagnostic[] {
  if (diagnostics.length <= count) return diagnostics
  const isError = ({ severity }: Diagnostic) => severity === 'error'
  let errors = Math.min(count, diagnostics.filter(isError).length)
  let others = count - errors
  return diagnostics.filter(diagnostic => (isError(diagnostic) ? errors-- : others--) > 0)
}
