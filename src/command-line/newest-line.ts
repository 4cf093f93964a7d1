/**
 * Lines for a reader that may be slow: one is on its way, and of those that come meanwhile only the newest is kept. Nobody waits, and
 * where the reader has gone nothing is written any more.
 */
export class NewestLine {
  readonly #write: (line: string) => Promise<void>
  #isWriting = false
  #hasGone = false
  #next: string | undefined

  constructor(write: (line: string) => Promise<void>) {
    this.#write = write
  }

  put(line: string): void {
    this.#next = line
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
    const line = this.#next
    this.#next = undefined
    return line
  }
}
