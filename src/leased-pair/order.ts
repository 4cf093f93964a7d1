/** What an operator has asked for, until it is done or given up. */
export class Order {
  readonly kind: 'force' | 'hand-over'
  readonly reason: string
  readonly done: Promise<void>
  #succeed!: () => void
  #fail!: (error: Error) => void

  constructor(kind: 'force' | 'hand-over', reason: string) {
    this.kind = kind
    this.reason = reason
    this.done = new Promise((resolve, reject) => {
      this.#succeed = resolve
      this.#fail = reject
    })
  }

  succeeded(): void {
    this.#succeed()
  }

  failed(error: Error): void {
    this.#fail(error)
  }
}
