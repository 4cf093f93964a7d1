/** What is to be closed, the last first. */
export class Closers implements AsyncDisposable {
  #all: (() => unknown)[] = []

  defer(close: () => unknown): void {
    this.#all.push(close)
  }

  /** Hands all of it to another one; nothing is left to close here. */
  move(): Closers {
    const moved = new Closers()
    moved.#all = this.#all
    this.#all = []
    return moved
  }

  /** All are closed, also where one fails. @throws the first error */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (const close of this.#all.splice(0).reverse())
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    if (errors.length > 0) throw errors[0]
  }
}
