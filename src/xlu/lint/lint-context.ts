import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Span } from '../diagnostic.js'
import type { Parameter } from '../disk-grammar.js'
import { DiskReader } from '../disk-reader.js'
import type { DiskField } from '../refusal.js'

interface FoundParameter {
  parameter: Parameter
  word: number
}

const none: readonly FoundParameter[] = []

/** An accepted disk and the text it came from. Where a field was given is worked out only when a rule asks. */
export class LintContext {
  readonly disk: DeviceDisk
  /** What has read the disk, with what it knows of the text. */
  readonly reader: DiskReader
  readonly words: readonly string[]
  readonly parameters: readonly (readonly Parameter[])[]
  private traced: DiskReader | undefined

  constructor(reader: DiskReader, words: readonly string[], parameters: readonly (readonly Parameter[])[]) {
    this.disk = reader.disk
    this.reader = reader
    this.words = words
    this.parameters = parameters
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
    let found: FoundParameter[] | undefined
    for (let word = 0; word < this.parameters.length; word++)
      for (const parameter of this.parameters[word]!)
        if (parameter.key === key) {
          found ??= []
          found.push({ parameter, word })
        }
    return found ?? none
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
    for (const [word, parameters] of this.parameters.entries()) reader.read(word, parameters)
    return reader
  }
}
