import {
  checkArray,
  checkFlag,
  checkInteger,
  checkObject,
  checkOptionalText,
  checkOptions,
  checkText,
} from '../check-argument.js'
import { printable } from '../printable.js'
import type { Diagnostic, Span } from './diagnostic.js'

/** How `formatDiagnostic` writes. */
export interface FormatDiagnosticOptions {
  /** Colours by terminal escapes. */
  color?: boolean | undefined
  /** What the text is called in front of line and column; "spec" if absent. */
  filename?: string | undefined
}

/** Columns of the text shown at most; of a longer line, those around the place. */
const columns = 100

const styles = { error: 31, warning: 33, place: 36, hint: 32, bold: 1 } as const

/** A diagnostic as a terminal shows it: what, where, the line with carets under the place, notes, and what to write instead. */
export function formatDiagnostic(diagnostic: Diagnostic, options: FormatDiagnosticOptions = {}): string {
  checkDiagnostic(diagnostic)
  checkOptions(options)
  checkFlag('color', options.color)
  checkOptionalText('filename', options.filename)
  const { severity, code, message, notes, hint } = diagnostic
  const paint = (style: keyof typeof styles, text: string) =>
    options.color ? `\x1b[${styles[style]}m${text}\x1b[0m` : text
  const filename = printable(options.filename ?? 'spec')
  const picture = (span: Span) => drawSpan(span, filename, text => paint('place', text))
  return [
    `${paint(severity, `${severity}[${code}]`)}: ${paint('bold', printable(message))}`,
    ...picture(diagnostic),
    ...notes.flatMap(note => [`${paint('place', 'note')}: ${printable(note.message)}`, ...picture(note)]),
    ...(hint === undefined ? [] : [`${paint('hint', 'hint')}: ${printable(hint)}`]),
  ]
    .map(line => `${line}\n`)
    .join('')
}

function checkDiagnostic(diagnostic: Diagnostic): void {
  checkSpan('diagnostic', diagnostic)
  checkText('diagnostic.severity', diagnostic.severity)
  checkText('diagnostic.code', diagnostic.code)
  checkOptionalText('diagnostic.hint', diagnostic.hint)
  checkArray('diagnostic.notes', diagnostic.notes, 'notes')
  for (const [index, note] of diagnostic.notes.entries()) checkSpan(`diagnostic.notes[${index}]`, note)
}

function checkSpan(name: string, span: Span & { message: string }): void {
  checkObject(name, span)
  checkText(`${name}.message`, span.message)
  checkText(`${name}.spec`, span.spec)
  checkInteger(`${name}.start`, span.start, 0, span.spec.length)
  checkInteger(`${name}.end`, span.end, 0, span.spec.length)
}

function drawSpan({ spec, start, end }: Span, filename: string, paint: (text: string) => string): string[] {
  const lineStart = spec.lastIndexOf('\n', start - 1) + 1
  const nextBreak = spec.indexOf('\n', start)
  const lineEnd = nextBreak < 0 ? spec.length : nextBreak
  const number = countLines(spec, lineStart)
  const from = Math.max(lineStart, Math.min(start - columns / 2, lineEnd - columns))
  const to = Math.min(lineEnd, from + columns)
  const shown = (begin: number, finish: number) => printable(spec.slice(begin, Math.max(begin, finish)))
  const before = `${from > lineStart ? '…' : ''}${shown(from, start)}`
  const marked = shown(start, Math.min(end, to))
  const after = `${shown(Math.max(start, Math.min(end, to)), to)}${to < lineEnd ? '…' : ''}`
  const gutter = `${number}`
  const blank = ' '.repeat(gutter.length)
  return [
    `${blank}${paint('-->')} ${filename}:${number}:${start - lineStart + 1}`,
    `${paint(`${gutter} |`)} ${before}${marked}${after}`,
    `${paint(`${blank} |`)} ${' '.repeat(width(before))}${paint('^'.repeat(Math.max(1, width(marked))))}`,
  ]
}

function countLines(text: string, end: number): number {
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) lines++
  return lines
}

const width = (text: string): number => [...text].length
