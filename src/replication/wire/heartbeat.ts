/** How many looks there are in the time that the other end may be silent. */
const looksAtMost = 6

/** Watches a connection by looks at it. A look that comes late is one look all the same: the other end is given as many as were promised. */
export class Heartbeat {
  readonly looks = looksAtMost
  #silent = 0
  #stalled = 0
  /** How many bytes have left this end, and have come to the other by its own word. */
  #left = 0
  #taken = 0

  /** Something has come. */
  heard(): void {
    this.#silent = 0
  }

  /** The other end says how much it has received. */
  took(received: number): void {
    if (received <= this.#taken) return
    this.#taken = received
    this.#stalled = 0
  }

  /** What is wrong with the other end; undefined where nothing is. */
  look(written: number, unsent: number): string | undefined {
    const left = written - unsent
    this.#stalled = unsent > 0 && left === this.#left ? this.#stalled + 1 : 0
    this.#left = left
    this.#silent++
    if (this.#silent > looksAtMost) return 'it is silent'
    return this.#stalled > looksAtMost ? 'it takes nothing of what is sent' : undefined
  }
}
