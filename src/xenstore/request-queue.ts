import type { PendingRequest } from './pending-request.js'

/** Requests that wait for a place, first come first sent. Any of them can leave it at any time. */
export class RequestQueue {
  #first: PendingRequest | undefined
  #last: PendingRequest | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  push(request: PendingRequest): void {
    request.queued = true
    request.before = this.#last
    if (this.#last === undefined) this.#first = request
    else this.#last.after = request
    this.#last = request
    this.#length++
  }

  shift(): PendingRequest | undefined {
    const first = this.#first
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Takes out one that is in the queue. */
  remove(request: PendingRequest): void {
    const { before, after } = request
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    request.queued = false
    request.before = undefined
    request.after = undefined
    this.#length--
  }
}
