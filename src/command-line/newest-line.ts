/** How many lines wait, besides the newest. */
const waitingAtMost = 100

/**
 * Lines for a reader that may be slow: one is on its way, and of those that come meanwhile only the newest is kept, besides some that are
 * not to be left out. Nobody waits, and where the reader has gone nothing is written any more.
 */
export class NewestLine {
  readonly #write: (line: string) => Promise<void>
  #isWriting = false
  #hasGone = false
  readonly #waiting: string[] = []
  #next: string | undefined

  constructor(write: (line: string) => Promise<void>) {
    this.#write = write
  }

  put(line: string): void {
    this.#next = line
    this.#writeSoon()
  }

  /** Adds one that is not left out for a newer one, unless too many wait. */
  add(line: string): void {
    if (this.#waiting.length < waitingAtMost) this.#waiting.push(line)
    this.#writeSoon()
  }

  #writeSoon(): void {
    if (!this.#isWriting && !this.#hasGone) void this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    try {
      for (let line = this.#take(); line !== undefined; line = this.#take()) await this.#write(line)
    } catch {
      this.#hasGone = true
    }
    this.#isWriting = false
  }

  #take(): string | undefined {
    const first = this.#waiting.shift()
    if (first !== undefined) return first
    const line = this.#next
    this.#next = undefined
    return line
  }
}
