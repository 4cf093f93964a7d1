import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Span } from '../diagnostic.js'
import type { Parameter } from '../disk-grammar.js'
import { DiskReader } from '../disk-reader.js'
import { parametersOf } from '../parameters-of.js'
import type { DiskField } from '../refusal.js'

interface FoundParameter {
  parameter: Parameter
  word: number
}

/** An accepted disk and the text it came from. Its parameters, and where a field was given, are worked out only when a rule asks. */
export class LintContext {
  readonly disk: DeviceDisk
  /** What has read the disk, with what it knows of the text. */
  readonly reader: DiskReader
  readonly words: readonly string[]
  private parsed: readonly (readonly Parameter[])[] | undefined
  private traced: DiskReader | undefined

  constructor(reader: DiskReader, words: readonly string[]) {
    this.disk = reader.disk
    this.reader = reader
    this.words = words
  }

  /** Those of each word. */
  get parameters(): readonly (readonly Parameter[])[] {
    this.parsed ??= this.words.map(parametersOf)
    return this.parsed
  }

  /** The value that a field was last given. */
  valueSpan(field: DiskField): Span {
    const origin = this.origin(field)
    return origin ? this.span(origin.word, origin.start, origin.end) : this.wholeSpan()
  }

  /** The same with its key, where it has one. */
  parameterSpan(field: DiskField): Span {
    const origin = this.origin(field)
    return origin ? this.span(origin.word, origin.at, origin.end) : this.wholeSpan()
  }

  /** Every parameter of a kind, with its word. */
  find(key: Parameter['key']): readonly FoundParameter[] {
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

  private origin(field: DiskField) {
    this.traced ??= this.trace()
    return this.traced.origins?.get(field)
  }

  private trace(): DiskReader {
    const reader = new DiskReader(true)
    for (const [word, text] of this.words.entries()) reader.read(word, text)
    return reader
  }
}
