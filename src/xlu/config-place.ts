import { checkInteger } from '../check-argument.js'
import { type ConfigItem, type ConfigValue, sourceSpan, valueSpan } from './config-value.js'
import type { LineIndex, TextPosition } from './line-index.js'

/** A value and where the configuration text gives it. */
export class ConfigPlace {
  /** The value's span in the text, its quotes or brackets included; of one put together with `+=`, its first part's. */
  readonly start: number
  readonly end: number
  readonly #value: ConfigValue
  readonly #lines: LineIndex

  constructor(value: ConfigValue, lines: LineIndex) {
    this.#value = value
    this.#lines = lines
    const { start, end } = valueSpan(value)
    this.start = start
    this.end = end
  }

  get value(): ConfigItem {
    return this.#value.item
  }

  /** The line that the value begins on, from 1. */
  get line(): number {
    return this.#lines.at(this.start).line
  }

  /** The column that the value begins in, from 1, in UTF-16 code units. */
  get column(): number {
    return this.#lines.at(this.start).column
  }

  /** An item of a list; undefined where there is none. */
  item(index: number): ConfigPlace | undefined {
    checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER)
    const item = this.#value.kind === 'list' ? this.#value.values[index] : undefined
    return item && new ConfigPlace(item, this.#lines)
  }

  /**
   * The text that characters `start` to `end` of a string value stand for, across its quotes, escapes and the parts
   * that `+=` added (where the characters come from several parts, as far as the first one's end). For a list: its span.
   */
  span(start: number, end: number): { start: number; end: number } {
    checkInteger('start', start, 0, Number.MAX_SAFE_INTEGER)
    checkInteger('end', end, 0, Number.MAX_SAFE_INTEGER)
    return this.#value.kind === 'list'
      ? { start: this.start, end: this.end }
      : sourceSpan(this.#value.pieces, start, end)
  }

  /** Line and column that an offset inside a string value comes from. */
  at(offset: number): TextPosition {
    checkInteger('offset', offset, 0, Number.MAX_SAFE_INTEGER)
    return this.#lines.at(this.span(offset, offset).start)
  }
}
