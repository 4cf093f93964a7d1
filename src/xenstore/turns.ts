/** Who comes first goes first, one at a time. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Waits until those before have passed their turn on. What it resolves with passes one's own on, and must be called. */
  async take(): Promise<() => void> {
    const before = this.#last
    let pass!: () => void
    this.#last = new Promise(resolve => {
      pass = resolve
    })
    await before
    return pass
  }
}
