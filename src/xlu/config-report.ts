import type { Diagnostic } from './diagnostic.js'
import type { ConfigSyntaxErrorCode } from './diagnostic-code.js'

const pythonWarning = [
  'warning: Config file looks like it contains Python code.',
  'warning:  Arbitrary Python is no longer supported.',
  'warning:  See https://wiki.xen.org/wiki/PythonInXlConfig',
]
  .map(line => `${line}\n`)
  .join('')

/** More values or complaints than this are refused: each costs some hundred bytes, and a text comes from anywhere. */
const mostThings = 2 ** 18

/** What an error message is about: libxl's words, the words that its scanner read last, and what we add. */
export interface ConfigComplaint {
  message: string
  near: string
  code: ConfigSyntaxErrorCode
  start: number
  end: number
  hint?: string | undefined
  notes?: Diagnostic['notes'] | undefined
}

/** Everything that libxlu_cfg writes while it reads a text, and the same as diagnostics. */
export class ConfigReport {
  readonly diagnostics: Diagnostic[] = []
  /** Set by the first error: from there on libxl reads without storing anything. */
  failed = false
  /** The text looks like Python, which libxl says at its end if anything failed. */
  likelyPython = false
  /** Reading ends here: libxl's does too, or what it would do is of no use. */
  gaveUp = false
  readonly #text: string
  readonly #filename: string
  #written = ''
  #lastLexicalErrorLine = -1
  #things = 0

  constructor(text: string, filename: string) {
    this.#text = text
    this.#filename = filename
  }

  get libxlMessage(): string {
    return this.failed && this.likelyPython ? this.#written + pythonWarning : this.#written
  }

  /** xlu__cfgl_lexicalerror: nothing is said of the same line, or the lines before it, after this. */
  lexicalError(line: number, complaint: ConfigComplaint): void {
    this.error(line, complaint)
    this.#lastLexicalErrorLine = line
  }

  /** xlu__cfg_yyerror: `line` is libxl's, which for a newline is not always where it stands. */
  error(line: number, complaint: ConfigComplaint): void {
    if (this.gaveUp || line <= this.#lastLexicalErrorLine) return
    this.failed = true
    const endsInNewline = complaint.near.endsWith('\n')
    const said = complaint.near.slice(0, endsInNewline ? -1 : undefined)
    const near = said === '' ? (endsInNewline ? '<newline>' : '') : `\`${upToNul(withoutFinalBlanks(said))}'`
    const saidLine = endsInNewline ? line - 1 : line
    this.#written += `${this.#filename}:${saidLine}: config parsing error near ${near}: ${complaint.message}\n`
    this.#diagnose('error', complaint)
    this.count(complaint)
  }

  /** Keeps what is gathered from a text within bounds. */
  count({ start, end }: { start: number; end: number }): void {
    if (++this.#things <= mostThings || this.gaveUp) return
    this.refuse('config-too-large', `more than ${mostThings} values and errors`, start, end)
  }

  /** An error that libxl has no words for, and the last one. */
  refuse(code: ConfigSyntaxErrorCode, message: string, start: number, end: number): void {
    this.failed = true
    this.gaveUp = true
    this.#diagnose('error', { code, message, start, end })
  }

  warn(code: ConfigSyntaxErrorCode, message: string, start: number, end: number, hint?: string): void {
    this.#diagnose('warning', { code, message, start, end, hint })
  }

  #diagnose(severity: Diagnostic['severity'], about: Omit<ConfigComplaint, 'near'>): void {
    const { code, message, start, end, notes = [], hint } = about
    this.diagnostics.push({
      severity,
      code,
      message,
      spec: this.#text,
      start,
      end,
      notes,
      ...(hint !== undefined && { hint }),
    })
  }
}

const upToNul = (text: string): string => (text.includes('\0') ? text.slice(0, text.indexOf('\0')) : text)

function withoutFinalBlanks(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(0, end)
}
