/** A guest's time with one node: from when it has read the disk there. */
export interface Session {
  readonly node: string
  /** The newest number that it found. */
  found: number
}

/** What guests were told, held against what has to be so. */
export class PairHistory {
  #active: Session | undefined
  #promised = 0
  /** When promises were made, in milliseconds. */
  readonly #times: number[] = []
  #problem: string | undefined
  readonly counts = { sessions: 0, answers: 0, byCheckpoint: 0, alone: 0 }

  /** The newest number that was promised. */
  get promised(): number {
    return this.#promised
  }

  get active(): string | undefined {
    return this.#active?.node
  }

  /** What was wrong first. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** @throws Error where something was wrong */
  check(): void {
    if (this.#problem !== undefined) throw new Error(this.#problem)
  }

  /** A guest has read the whole disk, and goes on with it. */
  started(node: string, found: number): Session {
    if (found < this.#promised) this.#wrong(`the guest of ${node} found ${found}, and ${this.#promised} was promised`)
    this.#active = { node, found }
    this.counts.sessions++
    return this.#active
  }

  /** A guest was answered. What it was told before another one began has come before: that takes longer than an answer is under way. */
  answered(session: Session): void {
    this.counts.answers++
    if (session !== this.#active)
      this.#wrong(`the guest of ${session.node} was answered while that of ${this.#active?.node} was active`)
  }

  promise(session: Session, number: number, how: 'byCheckpoint' | 'alone'): void {
    if (session !== this.#active && number > this.#active!.found)
      this.#wrong(
        `the guest of ${session.node} was promised ${number}, and that of ${this.#active?.node} found ${this.#active?.found}`,
      )
    this.counts[how]++
    if (session !== this.#active) return
    this.#promised = Math.max(this.#promised, number)
    this.#times.push(performance.now())
  }

  /** The disk was not what a guest may find. */
  damaged(node: string, why: string): void {
    this.#wrong(`the guest of ${node} found a damaged disk: ${why}`)
  }

  /** The longest time without a promise since then, in milliseconds. */
  longestGap(since: number): number {
    const from = this.#times.findLastIndex(time => time <= since)
    const times = this.#times.slice(Math.max(0, from))
    return times.reduce((most, time, index) => Math.max(most, time - (times[index - 1] ?? time)), 0)
  }

  #wrong(what: string): void {
    this.#problem ??= what
  }
}
