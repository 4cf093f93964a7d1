import type { ConfigString, StringPiece } from './config-value.js'

/** A backslash and what belongs to it, as the grammar reads it: what it stands for, its length in the text. */
interface StringEscape {
  text: string
  length: number
  error?: 'character' | 'octal' | 'hex'
}

/** The inside of a quoted string in the grammar's order: plain text and escapes, in batches. */
export type StringRuns = readonly (readonly (string | StringEscape)[])[]

export interface QuotedString {
  value: ConfigString
  /** The first escape that libxl refuses, and where it begins; it reads no further. */
  refused: { part: StringEscape; start: number } | undefined
  /** Where the first escape stands that libxl reads but adds nothing for. */
  lost: { start: number; end: number } | undefined
  /** It has more escapes than are noted; the value ends at the last one noted. */
  tooLong?: true
}

const mostMarks = 2 ** 22

/** Puts a quoted string together (xlu__cfgl_dequote of libxlu_cfg.c) and notes where each part of it stands. */
export function readQuoted(runs: StringRuns, start: number, end: number): QuotedString {
  let item = ''
  let at = start + 1
  let lost: QuotedString['lost']
  const marks = [0, at]
  const value = (): ConfigString => ({ kind: 'string', item, pieces: [{ length: item.length, start, end, marks }] })
  for (const run of runs) {
    for (const part of run) {
      if (typeof part === 'string') {
        item += part
        at += part.length
        continue
      }
      if (part.error !== undefined) return { value: value(), refused: { part, start: at }, lost }
      if (part.text === '') lost ??= { start: at, end: at + part.length }
      item += part.text
      at += part.length
      marks.push(item.length, at)
      if (marks.length > mostMarks) return { value: value(), refused: undefined, lost, tooLong: true }
    }
  }
  return { value: value(), refused: undefined, lost }
}

/** An unquoted token's value. */
export function plainString(item: string, start: number): ConfigString {
  const piece: StringPiece = { length: item.length, start, end: start + item.length, marks: [0, start] }
  return { kind: 'string', item, pieces: [piece] }
}
