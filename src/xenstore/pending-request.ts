import type { Deadline } from '../link/deadline.js'
import type { Call } from './request-kind.js'
import type { XenstoreError } from './xenstore-error.js'

/** A request whose answer somebody waits for, or, once `abandoned`, nobody any more. */
export class PendingRequest {
  readonly call: Call<unknown>
  abandoned = false
  queued = false
  /** Ends the waiting for its signal and time-out. */
  limit: Deadline | undefined
  /** Its neighbours in the queue. */
  before: PendingRequest | undefined
  after: PendingRequest | undefined
  readonly #resolve: (reply: unknown) => void
  readonly #reject: (error: XenstoreError) => void

  constructor(call: Call<unknown>, resolve: (reply: unknown) => void, reject: (error: XenstoreError) => void) {
    this.call = call
    this.#resolve = resolve
    this.#reject = reject
  }

  resolve(reply: unknown): void {
    this.limit?.[Symbol.dispose]()
    this.#resolve(reply)
  }

  reject(error: XenstoreError): void {
    this.limit?.[Symbol.dispose]()
    this.#reject(error)
  }
}
