/** How long something still takes that is looked at again and again. */
export class Pace {
  #first: { done: number; all: number; at: number } | undefined
  #last = 0

  /** Undefined while nothing is known of that. @param now in milliseconds */
  secondsLeft(done: number, all: number, now: number): number | undefined {
    // another part of it has begun
    if (this.#first === undefined || this.#first.all !== all || done < this.#last) this.#first = { done, all, at: now }
    this.#last = done
    const { done: before, at } = this.#first
    return done === before ? undefined : Math.ceil(((now - at) / 1000 / (done - before)) * (all - done))
  }
}
