import { hintForEscape, hintForLexicalError, hintForToken } from './config-hint.js'
import { ConfigListStack } from './config-list.js'
import { ConfigReport } from './config-report.js'
import { ConfigSettings } from './config-settings.js'
import { plainString, readQuoted, type StringRuns } from './config-string.js'
import type { ConfigString, ConfigValue } from './config-value.js'

/** More values or complaints than this are refused: each costs some hundred bytes, and a text comes from anywhere. */
const mostThings = 2 ** 21

const escapeMessages = {
  character: 'invalid character after backlash in quoted string',
  octal: 'invalid digit after backslash octalnumerical character escape in quoted string',
  hex: 'invalid digit after backslash hexnumerical character escape in quoted string',
}

/**
 * What the grammar's actions do: the state of libxl's scanner and parser beside the grammar itself, that is its
 * lines, its silences after an error, and the settings that it stores.
 */
export class ConfigReader {
  readonly report: ConfigReport
  readonly settings = new ConfigSettings()
  /** Reading ends here, as libxl's does. */
  gaveUp = false

  readonly #text: string
  readonly #lists = new ConfigListStack()
  /** The scanner's line, and the line that it gave for its last token. */
  #line = 1
  #tokenLine = 0
  #start = 0
  #end = 0
  #atEnd = false
  /** Tokens that must fit before another syntax error is said. */
  #silentFor = 0
  #things = 0
  #key = { name: '', start: 0, end: 0 }
  #addition = false
  #value: ConfigValue | undefined
  #valueLine = 0
  #expected = ''

  constructor(text: string, filename: string) {
    this.#text = text
    this.report = new ConfigReport(text, filename)
  }

  get inList(): boolean {
    return this.#lists.depth > 0
  }

  get wantsItem(): boolean {
    return this.#lists.wantsItem
  }

  // What the scanner saw.

  token(start: number, end: number): void {
    this.#start = start
    this.#end = end
    this.#tokenLine = this.#line
  }

  newline(start: number, end: number): void {
    this.token(start, end)
    this.#line++
  }

  newlineAfterError(): void {
    this.#tokenLine = this.#line
  }

  /** The end of the text, perhaps after one last character that no token begins with and that libxl overlooks. */
  end(start: number, end: number, stray: boolean): void {
    this.#start = start
    this.#end = end
    this.#atEnd = true
    if (stray && !this.report.failed) {
      const message = 'libxl overlooks this last character'
      this.report.warn('config-stray-end', message, start, end, 'remove it, or end the line with a newline')
    }
  }

  number(digits: string): ConfigString {
    return plainString(digits, this.#start)
  }

  string(runs: StringRuns): ConfigString {
    const { value, refused, lost, tooLong } = readQuoted(runs, this.#start, this.#end)
    if (this.report.failed) return value
    const nul = this.#near().indexOf('\0')
    if (nul >= 0 && !(refused && refused.start < this.#start + nul && this.#near()[nul - 1] === this.#near()[0])) {
      const at = this.#start + nul
      this.report.refuse('config-nul', 'a string holds a NUL character, at which libxl aborts', at, at + 1)
      this.gaveUp = true
    } else if (refused) {
      const { start, part } = refused
      const end = start + part.length
      const message = escapeMessages[part.error ?? 'character']
      const hint = hintForEscape(this.#text.slice(start, end + 2))
      this.#lexicalError({ code: 'config-escape', message, start, end, hint })
    } else if (tooLong) {
      this.#tooLarge('a string has more than 2097151 escapes')
    } else if (lost) {
      const message = 'libxl drops numeric escapes: this adds nothing to the string'
      this.report.warn('config-lost-escape', message, lost.start, lost.end, 'write the character itself')
    }
    return value
  }

  stray(character: string): void {
    if ('+-.():'.includes(character)) this.report.likelyPython = true
  }

  lexicalError(start: number, end: number): void {
    this.#start = start
    this.#end = end
    if (this.#text[end - 1] === '\n') this.#line++
    const wordEnd = ' \t\n'.includes(this.#text[end - 1]!) ? end - 1 : end
    const hint = hintForLexicalError(this.#text.slice(start, wordEnd))
    this.#lexicalError({ code: 'config-lexical', message: 'lexical error', start, end: wordEnd, hint })
  }

  // What the parser makes of it.

  shift(): void {
    if (this.#silentFor > 0) this.#silentFor--
  }

  key(name: string): void {
    this.shift()
    this.#key = { name, start: this.#start, end: this.#end }
  }

  operator(operator: string): void {
    this.shift()
    this.#addition = operator === '+='
  }

  atom(value: ConfigString): void {
    this.shift()
    if (!this.inList) this.#valueLine = this.#tokenLine
    this.#complete(value)
  }

  open(): void {
    this.shift()
    if (!this.inList) this.#valueLine = this.#tokenLine
    this.#fits(this.#lists.open(this.#start))
  }

  listNewline(): void {
    this.shift()
    this.#fits(this.#lists.newline())
  }

  comma(): void {
    this.shift()
    this.#fits(this.#lists.comma())
  }

  close(): void {
    this.shift()
    const { list, fits } = this.#lists.close(this.#end)
    if (this.#fits(fits)) this.#complete(list)
  }

  /** Stores the setting that was read; true, so that the grammar can go on from here. */
  store(): true {
    const value = this.#value!
    if (this.report.failed) return true
    const stored = this.settings.store({ ...this.#key, addition: this.#addition, line: this.#valueLine, value })
    if (!stored) {
      const message = 'can\'t add [list] to "string" or vice versa'
      const { name, start, end } = this.#key
      const before = this.settings.get(name)!
      const hint = `\`${name}' is a ${before.value.kind} so far: add a ${before.value.kind} to it, or use =`
      const note = { message: 'the value so far', spec: this.#text, start: before.start, end: before.end }
      this.#lexicalError({ code: 'config-mixed-addition', message, start, end, hint, notes: [note] })
    }
    return true
  }

  // Where a token does not fit.

  /** Notes bison's words for what may stand here; true, so that the grammar can go on to see what does. */
  expect(expected: string): true {
    this.#expected = expected
    return true
  }

  unexpected(name: string): void {
    if (this.gaveUp || (this.inList && !this.#fits(this.#lists.refuse()))) return
    if (this.#silentFor > 0) return
    const start = this.#start
    const end = name === 'NEWLINE' ? this.#end - 1 : this.#end
    const found = { name, text: this.#text.slice(start, end), expected: this.#expected, key: this.#key.name }
    const list = this.#lists.innermost
    const notes = list && [
      { message: 'the list begins here', spec: this.#text, start: list.start, end: list.start + 1 },
    ]
    this.report.error(this.#tokenLine, {
      code: 'config-syntax',
      message: `syntax error, unexpected ${name}, expecting ${this.#expected}`,
      near: this.#near(),
      start,
      end,
      hint: hintForToken(found),
      notes,
    })
    this.#count()
  }

  giveUp(): void {
    this.gaveUp = true
  }

  /** After the newline that ends a wrong statement: two more tokens must fit before errors are said again. */
  recover(): true {
    this.#silentFor = 2
    this.#lists.clear()
    return true
  }

  /** yytext: at the end of the text it is the NUL that flex ends its buffer with. */
  #near(): string {
    return this.#text.slice(this.#start, this.#end) + (this.#atEnd ? '\0' : '')
  }

  #lexicalError(complaint: Omit<Parameters<ConfigReport['error']>[1], 'near'>): void {
    if (this.gaveUp) return
    this.report.lexicalError(this.#line, { ...complaint, near: this.#near() })
    this.#count()
  }

  #complete(value: ConfigValue): void {
    if (!this.inList) this.#value = value
    else this.#fits(this.#lists.add(value))
    this.#count()
  }

  #fits(fits: boolean): boolean {
    if (fits || this.gaveUp) return fits
    const start = this.#start
    const hint = 'libxl nests lists 4,996 deep at most, and less where they stand behind commas'
    const complaint = { code: 'config-too-deep', message: 'memory exhausted', start, end: this.#end, hint }
    this.report.error(this.#tokenLine, { ...complaint, near: this.#near() })
    this.gaveUp = true
    return false
  }

  #count(): void {
    if (++this.#things > mostThings && !this.gaveUp) this.#tooLarge('more than 2097152 values and errors')
  }

  #tooLarge(message: string): void {
    this.report.refuse('config-too-large', message, this.#start, this.#end)
    this.gaveUp = true
  }
}
