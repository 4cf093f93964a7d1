/** A series as a page plots it. Times are in milliseconds since 1970. */
export interface PlottedSeries {
  /** How much time a value stands for. */
  step: number
  /** When the last value's time ends. */
  to: number
  /** The largest value of each step, the newest last; null where nothing was seen. */
  values: readonly (number | null)[]
}

export interface SeriesOptions {
  /** In milliseconds. */
  step: number
  /** How many steps are kept. */
  count: number
}

/** The last quarter of an hour. */
const usualSeries: SeriesOptions = { step: 2000, count: 450 }

/** The largest value of each step of time, of so many steps: never more, however many values there are. */
export class Series {
  readonly #step: number
  readonly #count: number
  #values: (number | null)[] = []
  /** The number of the last value's step, since 1970. */
  #last = 0

  constructor({ step, count }: SeriesOptions = usualSeries) {
    this.#step = step
    this.#count = count
  }

  /** @param at in milliseconds since 1970; what comes from before the last step counts as of that one */
  observe(at: number, value: number): void {
    if (!Number.isFinite(value)) return
    this.#goTo(at)
    const before = this.#values.at(-1) ?? null
    this.#values[this.#values.length - 1] = before === null ? value : Math.max(before, value)
  }

  /** The last values up to a time. */
  plotted(now: number, count = this.#count): PlottedSeries {
    this.#goTo(now)
    return { step: this.#step, to: (this.#last + 1) * this.#step, values: this.#values.slice(-count).map(rounded) }
  }

  #goTo(at: number): void {
    const step = Math.floor(at / this.#step)
    if (this.#values.length === 0 || step - this.#last >= this.#count) this.#values = [null]
    else if (step > this.#last) {
      this.#values.push(...Array.from({ length: step - this.#last }, () => null))
      if (this.#values.length > this.#count) this.#values = this.#values.slice(-this.#count)
    } else return
    this.#last = step
  }
}

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(4)))
