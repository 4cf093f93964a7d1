/** What can stand in a queue: its neighbours there. */
export interface Queued<Self> {
  queued: boolean
  before: Self | undefined
  after: Self | undefined
}

/** First come, first served. Any of them can leave it at any time. */
export class RequestQueue<Request extends Queued<Request>> {
  #first: Request | undefined
  #last: Request | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  push(request: Request): void {
    request.queued = true
    request.before = this.#last
    if (this.#last === undefined) this.#first = request
    else this.#last.after = request
    this.#last = request
    this.#length++
  }

  shift(): Request | undefined {
    const first = this.#first
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Takes out one that is in the queue. */
  remove(request: Request): void {
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
