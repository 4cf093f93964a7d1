/** Changes of a disk that overlap follow each other in the order asked; the others do not wait. */
export class RangeLock {
  /** Those that hold their range or await it, in the order asked. */
  readonly #ranges = new Set<HeldRange>()

  /** Nobody before has anything to do there. */
  isFree(offset: number, length: number): boolean {
    if (this.#ranges.size === 0) return true
    for (const range of this.#ranges) if (range.overlaps(offset, offset + length)) return false
    return true
  }

  /** Holds a range while `work` goes on, once those before it are through there. */
  async hold(offset: number, length: number, work: (range: HeldRange) => void | Promise<void>): Promise<void> {
    const own = new HeldRange(offset, offset + length)
    const before = [...this.#ranges].filter(range => range.overlaps(offset, offset + length))
    this.#ranges.add(own)
    try {
      for (const range of before) await range.pastOf(offset, offset + length)
      await work(own)
    } finally {
      this.#ranges.delete(own)
      own.leave()
    }
  }
}

/** A part of a disk that somebody works through, from its beginning on. */
export class HeldRange {
  #from: number
  readonly #to: number
  #waiting: { until: number; goOn: () => void }[] = []

  constructor(from: number, to: number) {
    this.#from = from
    this.#to = to
  }

  overlaps(from: number, to: number): boolean {
    return Math.max(from, this.#from) < Math.min(to, this.#to)
  }

  /** All before is done: who waits for no more than that goes on. */
  advance(from: number): void {
    this.#from = from
    if (this.#waiting.length === 0) return
    const isPast = ({ until }: { until: number }) => until <= from
    for (const { goOn } of this.#waiting.filter(isPast)) goOn()
    this.#waiting = this.#waiting.filter(waiting => !isPast(waiting))
  }

  leave(): void {
    this.advance(this.#to)
  }

  /** Settles when nothing more is done there. */
  pastOf(from: number, to: number): Promise<void> {
    if (!this.overlaps(from, to)) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push({ until: Math.min(to, this.#to), goOn: resolve }))
  }
}
