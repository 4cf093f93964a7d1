/** What has to be ended, the last first. */
export class Teardowns implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = []

  use<One extends AsyncDisposable | Disposable>(one: One): One {
    this.#all.unshift({
      async [Symbol.asyncDispose]() {
        if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
        else one[Symbol.dispose]()
      },
    })
    return one
  }

  defer(work: () => void): void {
    this.use({ [Symbol.dispose]: work })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all.splice(0)) await one[Symbol.asyncDispose]()
  }
}
