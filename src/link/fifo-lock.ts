/** A lock that goes to who asked first. */
export class FifoLock {
  #last: Promise<void> = Promise.resolve()

  /** Waits until those before have released it. What it resolves with releases it again, and must be called. */
  async take(): Promise<() => void> {
    const before = this.#last
    let release!: () => void
    this.#last = new Promise(resolve => {
      release = resolve
    })
    await before
    return release
  }

  /** Does some work while it has the lock. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = await this.take()
    try {
      return await work()
    } finally {
      release()
    }
  }
}
