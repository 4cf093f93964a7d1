import { checkLimits } from '../check-argument.js'
import type { Connection } from './connection.js'
import { Nodes } from './nodes.js'
import { requestError } from './request-error.js'
import { prepare, type RequestKind } from './request-kind.js'
import type { RequestOptions, XenstoreTransaction } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

/** One attempt at a transaction: from the daemon's number for it to its end. */
export class Transaction extends Nodes implements XenstoreTransaction {
  readonly id: number
  readonly #connection: Connection
  readonly #outstanding = new Set<Promise<unknown>>()
  #over: XenstoreError | undefined
  #lost: XenstoreError | undefined
  #controller: AbortController | undefined
  #onLost: ((error: XenstoreError) => void) | undefined

  constructor(connection: Connection, id: number) {
    super()
    this.#connection = connection
    this.id = id
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#lost !== undefined) this.#controller.abort(this.#lost)
    return this.#controller.signal
  }

  /** Why it ended otherwise than by its body's end. */
  get lost(): XenstoreError | undefined {
    return this.#lost
  }

  /**
   * Runs the body and waits for the requests that it left under way, whose failure is the body's. Fails at once when the
   * transaction is lost, whatever the body does then.
   */
  run<Value>(body: (transaction: XenstoreTransaction) => Promise<Value> | Value): Promise<Value> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    return new Promise((resolve, reject) => {
      this.#onLost = reject
      this.#runToEnd(body).then(resolve, reject)
    })
  }

  async #runToEnd<Value>(body: (transaction: XenstoreTransaction) => Promise<Value> | Value): Promise<Value> {
    try {
      const value = await body(this)
      while (this.#outstanding.size > 0) await Promise.all(this.#outstanding)
      return value
    } finally {
      this.#silence()
    }
  }

  /** Nothing can be added any more. */
  finish(): void {
    this.#over ??= new XenstoreError('EBADF', 'the transaction has ended')
  }

  /** Ends it here for a reason from outside. */
  lose(error: XenstoreError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#lost = error
    this.#silence()
    this.#controller?.abort(error)
    this.#onLost?.(error)
  }

  /** Nobody is left to whom the failures of what is under way would say anything. */
  #silence(): void {
    for (const promise of this.#outstanding) promise.catch(() => {})
  }

  protected override perform<Parameters extends readonly unknown[], Reply>(
    kind: RequestKind<Parameters, Reply>,
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): Promise<Reply> {
    try {
      checkLimits(options)
      const call = prepare(kind, this.id, parameters)
      if (this.#over !== undefined) {
        const { code, message } = this.#over
        throw requestError(call.operation, call.path, code, message, this.#over)
      }
      call.explain = () => this.#lost
      return this.#connection.request(call, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  protected override track<Reply>(work: () => Promise<Reply>): Promise<Reply> {
    const watched = async () => {
      try {
        return await work()
      } finally {
        this.#outstanding.delete(promise)
      }
    }
    const promise = watched()
    this.#outstanding.add(promise)
    if (this.#lost !== undefined) this.#silence()
    return promise
  }
}
