import { hintForToken } from './config-hint.js'
import { ConfigListStack } from './config-list.js'
import { type ConfigComplaint, ConfigReport } from './config-report.js'
import { ConfigScanner } from './config-scanner.js'
import { ConfigSettings } from './config-settings.js'
import type { ConfigString, ConfigValue } from './config-value.js'

/** What the grammar's rules do: the lists and settings that libxl's parser builds, and its errors and silences. */
export class ConfigReader {
  readonly report: ConfigReport
  readonly scanner: ConfigScanner
  readonly settings = new ConfigSettings()

  readonly #text: string
  readonly #lists = new ConfigListStack()
  /** Tokens that must fit before another syntax error is said. */
  #silentFor = 0
  #key = { name: '', start: 0, end: 0 }
  #addition = false
  #value: ConfigValue | undefined
  #valueLine = 0
  #expected = ''

  constructor(text: string, filename: string) {
    this.#text = text
    this.report = new ConfigReport(text, filename)
    this.scanner = new ConfigScanner(text, this.report)
  }

  get inList(): boolean {
    return this.#lists.depth > 0
  }

  get wantsItem(): boolean {
    return this.#lists.wantsItem
  }

  shift(): void {
    if (this.#silentFor > 0) this.#silentFor--
  }

  key(name: string): void {
    this.shift()
    this.#key = { name, ...this.#token }
  }

  operator(operator: string): void {
    this.shift()
    this.#addition = operator === '+='
  }

  atom(value: ConfigString): void {
    this.shift()
    if (!this.inList) this.#valueLine = this.scanner.tokenLine
    this.#complete(value)
  }

  open(): void {
    this.shift()
    if (!this.inList) this.#valueLine = this.scanner.tokenLine
    this.#fits(this.#lists.open(this.scanner.start))
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
    const { list, fits } = this.#lists.close(this.scanner.end)
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
      this.scanner.complain({ code: 'config-mixed-addition', message, start, end, hint, notes: [note] })
    }
    return true
  }

  /** Notes bison's words for what may stand here; true, so that the grammar can go on to see what does. */
  expect(expected: string): true {
    this.#expected = expected
    return true
  }

  unexpected(name: string): void {
    if (this.report.gaveUp || (this.inList && !this.#fits(this.#lists.refuse())) || this.#silentFor > 0) return
    const start = this.scanner.start
    const end = name === 'NEWLINE' ? this.scanner.end - 1 : this.scanner.end
    const expected = this.#expected
    const hint = hintForToken({ name, expected, text: this.#text.slice(start, end), key: this.#key.name })
    const list = this.#lists.innermost
    const notes = list && [
      { message: 'the list begins here', spec: this.#text, start: list.start, end: list.start + 1 },
    ]
    const message = `syntax error, unexpected ${name}, expecting ${expected}`
    this.#error({ code: 'config-syntax', message, start, end, hint, notes })
  }

  /** After the newline that ends a wrong statement: two more tokens must fit before errors are said again. */
  recover(): true {
    this.#silentFor = 2
    this.#lists.clear()
    return true
  }

  #complete(value: ConfigValue): void {
    if (!this.inList) this.#value = value
    else this.#fits(this.#lists.add(value))
    this.report.count(this.scanner)
  }

  #fits(fits: boolean): boolean {
    if (fits || this.report.gaveUp) return fits
    const hint = 'libxl nests lists 4,996 deep at most, and less where they stand behind commas'
    this.#error({ code: 'config-too-deep', message: 'memory exhausted', hint, ...this.#token })
    this.report.gaveUp = true
    return false
  }

  #error(complaint: Omit<ConfigComplaint, 'near'>): void {
    this.report.error(this.scanner.tokenLine, { ...complaint, near: this.scanner.near })
  }

  get #token(): { start: number; end: number } {
    return { start: this.scanner.start, end: this.scanner.end }
  }
}
