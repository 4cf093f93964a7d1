import { hintForEscape, hintForLexicalError } from './config-hint.js'
import type { ConfigComplaint, ConfigReport } from './config-report.js'
import { plainString, readQuoted, type StringRuns } from './config-string.js'
import type { ConfigString } from './config-value.js'

const escapeMessages = {
  character: 'invalid character after backlash in quoted string',
  octal: 'invalid digit after backslash octalnumerical character escape in quoted string',
  hex: 'invalid digit after backslash hexnumerical character escape in quoted string',
}

/** What the grammar's tokens do: the state of libxl's scanner, its line and its last words, and its own errors. */
export class ConfigScanner {
  /** The last token in the text, and the line that libxl's scanner gave for it. */
  start = 0
  end = 0
  tokenLine = 0

  readonly #text: string
  readonly #report: ConfigReport
  #line = 1
  #atEnd = false

  constructor(text: string, report: ConfigReport) {
    this.#text = text
    this.#report = report
  }

  /** yytext: at the end of the text it holds the NUL that flex ends its buffer with. */
  get near(): string {
    return this.#text.slice(this.start, this.end) + (this.#atEnd ? '\0' : '')
  }

  token(start: number, end: number): void {
    this.start = start
    this.end = end
    this.tokenLine = this.#line
  }

  newline(start: number, end: number): void {
    this.token(start, end)
    this.#line++
  }

  newlineAfterError(): void {
    this.tokenLine = this.#line
  }

  /** The end of the text, perhaps after one last character that no token begins with and that libxl overlooks. */
  endOfText(start: number, end: number, stray: boolean): void {
    this.start = start
    this.end = end
    this.#atEnd = true
    if (stray && !this.#report.failed) {
      const message = 'libxl overlooks this last character'
      this.#report.warn('config-stray-end', message, start, end, 'remove it, or end the line with a newline')
    }
  }

  number(digits: string): ConfigString {
    return plainString(digits, this.start)
  }

  string(runs: StringRuns): ConfigString {
    const { value, refused, lost, tooLong } = readQuoted(runs, this.start, this.end)
    if (this.#report.failed) return value
    const nul = this.near.indexOf('\0')
    if (nul >= 0 && !(refused && refused.start < this.start + nul && this.near[nul - 1] === this.near[0])) {
      const at = this.start + nul
      this.#report.refuse('config-nul', 'a string holds a NUL character, at which libxl aborts', at, at + 1)
    } else if (refused) {
      const { start, part } = refused
      const end = start + part.length
      const message = escapeMessages[part.error ?? 'character']
      const hint = hintForEscape(this.#text.slice(start, end + 2))
      this.complain({ code: 'config-escape', message, start, end, hint })
    } else if (tooLong) {
      this.#report.refuse('config-too-large', 'a string has more than 2097151 escapes', this.start, this.end)
    } else if (lost) {
      const message = 'libxl drops numeric escapes: this adds nothing to the string'
      this.#report.warn('config-lost-escape', message, lost.start, lost.end, 'write the character itself')
    }
    return value
  }

  stray(character: string): void {
    if ('+-.():'.includes(character)) this.#report.likelyPython = true
  }

  lexicalError(start: number, end: number): void {
    this.start = start
    this.end = end
    if (this.#text[end - 1] === '\n') this.#line++
    const wordEnd = ' \t\n'.includes(this.#text[end - 1]!) ? end - 1 : end
    const hint = hintForLexicalError(this.#text.slice(start, wordEnd))
    this.complain({ code: 'config-lexical', message: 'lexical error', start, end: wordEnd, hint })
  }

  /** xlu__cfgl_lexicalerror, on the scanner's line and with its last words. */
  complain(complaint: Omit<ConfigComplaint, 'near'>): void {
    this.#report.lexicalError(this.#line, { ...complaint, near: this.near })
  }
}
