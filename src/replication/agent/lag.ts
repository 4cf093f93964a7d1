/** How exact an age is, in milliseconds: one moment of each so many is kept. */
const step = 10

/** How old the oldest message is that is not acknowledged. */
export class Lag {
  #moments: { sequence: number; uptime: number }[] = []
  #first = 0

  /** A message was made. */
  made(sequence: number, uptime: number): void {
    const last = this.#moments.at(-1)
    if (this.#first === this.#moments.length || last === undefined || uptime - last.uptime >= step)
      this.#moments.push({ sequence, uptime })
  }

  /** All up to this sequence is acknowledged; `last` is the last one made. */
  acknowledged(sequence: number, last: number): void {
    if (sequence === last) {
      this.#moments = []
      this.#first = 0
      return
    }
    // one moment stands for all before the next one
    while (this.#first + 1 < this.#moments.length && this.#moments[this.#first + 1]!.sequence <= sequence + 1)
      this.#first++
    if (this.#first * 2 > this.#moments.length) {
      this.#moments = this.#moments.slice(this.#first)
      this.#first = 0
    }
  }

  /** When the oldest one was made, by the clock's uptime, or a little before; undefined where there is none. */
  get since(): number | undefined {
    return this.#moments[this.#first]?.uptime
  }
}
