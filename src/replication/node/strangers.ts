/** Somebody who is not let in yet. */
export class Stranger {
  readonly #left: () => void
  readonly #timer: ReturnType<typeof setTimeout>
  #sendAway: (why: string) => void
  #why: string | undefined
  #isOver = false

  /** @param timeout in milliseconds  @param sendAway how its connection is ended  @param left called once, when it is let in or gone */
  constructor(timeout: number, sendAway: (why: string) => void, left: () => void) {
    this.#left = left
    this.#sendAway = sendAway
    this.#timer = setTimeout(() => this.end('it has not greeted in time'), timeout)
  }

  /** How its connection is ended from now on: at once, where it should be already. */
  set sendAway(sendAway: (why: string) => void) {
    this.#sendAway = sendAway
    if (this.#why !== undefined) sendAway(this.#why)
  }

  end(why: string): void {
    if (this.#isOver) return
    this.leave()
    this.#why = why
    this.#sendAway(why)
  }

  /** It is let in, or has gone. */
  leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#left()
  }
}

/** Those who are not let in yet: each for a time, and not too many. The one that waits longest goes: many of them do not keep an agent out. */
export class Strangers {
  readonly #atMost: number
  readonly #timeout: number
  readonly #waiting = new Set<Stranger>()

  /** @param timeout in milliseconds */
  constructor(atMost: number, timeout: number) {
    this.#atMost = atMost
    this.#timeout = timeout
  }

  add(sendAway: (why: string) => void): Stranger {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < this.#atMost) break
      oldest.end('too many others wait to be let in')
    }
    const stranger = new Stranger(this.#timeout, sendAway, () => this.#waiting.delete(stranger))
    this.#waiting.add(stranger)
    return stranger
  }

  endAll(why: string): void {
    for (const stranger of [...this.#waiting]) stranger.end(why)
  }
}
