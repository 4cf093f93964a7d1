/** How often something took how long: counts by fixed buckets, as plain numbers. */
export class Histogram {
  /** The upper bounds of the buckets, in seconds, ascending; one without a bound follows. */
  readonly bounds: readonly number[]
  /** Of each bucket alone, the one without a bound last. */
  readonly counts: number[]
  /** Of all that was observed, in seconds. */
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  /** How many there were. */
  get count(): number {
    return this.counts.reduce((all, one) => all + one, 0)
  }

  /** @param seconds a time that was measured: a clock that was set back makes none of it negative */
  observe(seconds: number): void {
    const taken = Math.max(0, seconds)
    let bucket = 0
    while (bucket < this.bounds.length && taken > this.bounds[bucket]!) bucket++
    this.counts[bucket]! += 1
    this.sum += taken
  }
}

/** Of what a guest waits for, and of what takes a network or a disk: a millisecond to a minute. */
export const usualBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]
