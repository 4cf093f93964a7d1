import { LibxlError } from './libxl-error.js'

/** A text that libxl's JSON reader refuses: where, and why. */
export class DiskJsonError extends LibxlError {
  override readonly name: string = 'DiskJsonError'
  /** Index into the text, in UTF-16 units. */
  readonly offset: number
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1, in UTF-16 units. */
  readonly column: number
  /** What is wrong there, in libxl's words. */
  readonly problem: string

  constructor(text: string, offset: number, problem: string) {
    const before = text.slice(0, offset)
    const line = before.split('\n').length
    const column = offset - before.lastIndexOf('\n')
    super('json-invalid', `${problem} (line ${line}, column ${column})`)
    this.offset = offset
    this.line = line
    this.column = column
    this.problem = problem
  }
}
