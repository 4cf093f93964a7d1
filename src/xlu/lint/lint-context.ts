import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Span } from '../diagnostic.js'
import type { Parameter } from '../disk-grammar.js'
import { type DiskField, DiskReader } from '../disk-reader.js'

/** An accepted disk and the text it came from. Where a field was given is worked out only when a rule asks. */
export class LintContext {
  readonly disk: DeviceDisk
  readonly words: readonly string[]
  readonly parameters: readonly (readonly Parameter[])[]
  #traced: DiskReader | undefined

  constructor(disk: DeviceDisk, words: readonly string[], parameters: readonly (readonly Parameter[])[]) {
    this.disk = disk
    this.words = words
    this.parameters = parameters
  }

  /** The value that a field was last given. */
  valueSpan(field: DiskField): Span {
    const origin = this.#origin(field)
    return origin ? this.span(origin.word, origin.start, origin.end) : this.wholeSpan()
  }

  /** The same with its key, where it has one. */
  parameterSpan(field: DiskField): Span {
    const origin = this.#origin(field)
    return origin ? this.span(origin.word, origin.at, origin.end) : this.wholeSpan()
  }

  has(key: Parameter['key']): boolean {
    for (const parameters of this.parameters) for (const parameter of parameters) if (parameter.key === key) return true
    return false
  }

  /** Every parameter of a kind, with its word. */
  find(key: Parameter['key']): { parameter: Parameter; word: number }[] {
    return this.parameters.flatMap((parameters, word) =>
      parameters.filter(parameter => parameter.key === key).map(parameter => ({ parameter, word })),
    )
  }

  span(word: number, start: number, end: number): Span {
    return { spec: this.words[word] ?? '', start, end }
  }

  wholeSpan(): Span {
    return this.span(0, 0, this.words[0]?.length ?? 0)
  }

  #origin(field: DiskField) {
    this.#traced ??= this.#trace()
    return this.#traced.origins?.get(field)
  }

  #trace(): DiskReader {
    const reader = new DiskReader(true)
    for (const [word, parameters] of this.parameters.entries()) reader.read(word, parameters)
    return reader
  }
}
