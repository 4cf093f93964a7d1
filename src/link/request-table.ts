import { type Deadline, deadline, type Over } from './deadline.js'
import type { Limits } from './limits.js'
import type { LinkError } from './link-error.js'
import { type Queued, RequestQueue } from './request-queue.js'

/** What a request may have, to hear of its fate besides its answer. */
export interface TableRequest {
  /** Takes the answer to a request that was abandoned before it came: what the other end did may have to be undone. */
  late?(reply: unknown): void
  /** The answer to it came after it was abandoned, and was an error. */
  lateError?(): void
  /** It was abandoned before it was sent. */
  unsent?(): void
}

export interface RequestTableOptions<Id, Request> {
  /** How many requests may be unanswered at a time; the others wait for a place. */
  atMost: number
  /** The next number for a request; none that is taken. */
  nextId(last: Id | undefined, taken: { has(id: Id): boolean }): Id
  send(id: Id, request: Request): void
  /** The error of a request that was over before its answer came. */
  overError(request: Request, over: Over): Error
  /** The error of a request whose connection is lost. */
  lostError(request: Request, error: LinkError): Error
}

/**
 * The requests of a connection on their way to the other end and back: numbered, bounded in flight, sent in the order asked.
 * Each can be abandoned at any time; whatever ends the connection fails all of them.
 */
export class RequestTable<Id, Request extends object> {
  readonly #options: RequestTableOptions<Id, Request>
  /** In the order sent; abandoned ones too, as the other end is not done with them. */
  readonly #sent = new Map<Id, Pending<Request>>()
  readonly #queue = new RequestQueue<Pending<Request>>()
  #lastId: Id | undefined
  #outOfBand = 0
  #requests = 0
  #late = 0
  #sending = false
  #lost: LinkError | undefined

  constructor(options: RequestTableOptions<Id, Request>) {
    this.#options = options
  }

  get statistics(): { requests: number; inFlight: number; queued: number; late: number } {
    return { requests: this.#requests, inFlight: this.#sent.size, queued: this.#queue.length, late: this.#late }
  }

  /**
   * Sends a request when there is a place for it, or `outOfBand` at once, past all that waits: for other ends that answer such
   * a request while they are blocked by another. @throws RangeError where the timeout is no number of milliseconds
   */
  ask<Reply>(request: Request, limits?: Limits, outOfBand = false): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const pending = new Pending(request, resolve as (reply: unknown) => void, reject, outOfBand)
      if (this.#lost !== undefined) {
        reject(this.#options.lostError(request, this.#lost))
        return
      }
      if (limits !== undefined && (limits.signal !== undefined || limits.timeout !== undefined)) {
        pending.limit = deadline(limits, over => this.#abandon(pending, over))
        if (pending.abandoned) {
          ;(request as TableRequest).unsent?.()
          return
        }
      }
      this.#add(pending)
    })
  }

  /** Sends a request whose answer nobody waits for. */
  tell(request: Request): void {
    if (this.#lost === undefined) this.#add(new Pending(request, ignore, ignore, false))
  }

  /** The request that an answer is to, which may be needed to read the answer; undefined where there is none. */
  peek(id: Id): Request | undefined {
    return this.#sent.get(id)?.request
  }

  /** Takes the answer to a request. Where `read` throws, the request stays and its connection is to be ended. */
  resolve(id: Id, read: (request: Request) => unknown): void {
    const pending = this.#sent.get(id)!
    const reply = read(pending.request)
    this.#forget(id, pending)
    if (!pending.abandoned) pending.resolve(reply)
    else {
      this.#late++
      ;(pending.request as TableRequest).late?.(reply)
    }
    this.#send()
  }

  /** Takes the answer that a request failed. */
  reject(id: Id, error: (request: Request) => Error): void {
    const pending = this.#sent.get(id)!
    this.#forget(id, pending)
    if (!pending.abandoned) pending.reject(error(pending.request))
    else {
      this.#late++
      ;(pending.request as TableRequest).lateError?.()
    }
    this.#send()
  }

  /** Sends what `work` leads to after it: the other end may answer at once, in the middle of it. */
  holding(work: () => void): void {
    const sending = this.#sending
    this.#sending = true
    try {
      work()
    } finally {
      this.#sending = sending
      this.#send()
    }
  }

  /** Fails all that is unanswered or waits, and all that is asked later. */
  failAll(error: LinkError): void {
    this.#lost = error
    const { lostError } = this.#options
    for (const pending of this.#sent.values()) {
      if (!pending.abandoned) pending.reject(lostError(pending.request, error))
    }
    this.#sent.clear()
    for (let pending = this.#queue.shift(); pending !== undefined; pending = this.#queue.shift()) {
      pending.reject(lostError(pending.request, error))
    }
  }

  #add(pending: Pending<Request>): void {
    if (pending.outOfBand) {
      this.#outOfBand++
      this.#sendOne(pending)
      return
    }
    this.#queue.push(pending)
    this.#send()
  }

  #send(): void {
    if (this.#sending) return
    this.#sending = true
    const { atMost } = this.#options
    while (this.#queue.length > 0 && this.#sent.size - this.#outOfBand < atMost) this.#sendOne(this.#queue.shift()!)
    this.#sending = false
  }

  #sendOne(pending: Pending<Request>): void {
    const id = this.#options.nextId(this.#lastId, this.#sent)
    this.#lastId = id
    this.#sent.set(id, pending)
    this.#requests++
    this.#options.send(id, pending.request)
  }

  #forget(id: Id, { outOfBand }: Pending<Request>): void {
    this.#sent.delete(id)
    if (outOfBand) this.#outOfBand--
  }

  #abandon(pending: Pending<Request>, over: Over): void {
    const { request } = pending
    pending.abandoned = true
    pending.reject(this.#options.overError(request, over))
    if (!pending.queued) return
    this.#queue.remove(pending)
    ;(request as TableRequest).unsent?.()
  }
}

/** A request whose answer somebody waits for, or, once `abandoned`, nobody any more. */
class Pending<Request> implements Queued<Pending<Request>> {
  readonly request: Request
  readonly outOfBand: boolean
  abandoned = false
  limit: Deadline | undefined
  queued = false
  before: Pending<Request> | undefined
  after: Pending<Request> | undefined
  readonly #resolve: (reply: unknown) => void
  readonly #reject: (error: Error) => void

  constructor(request: Request, resolve: (reply: unknown) => void, reject: (error: Error) => void, outOfBand: boolean) {
    this.request = request
    this.outOfBand = outOfBand
    this.#resolve = resolve
    this.#reject = reject
  }

  resolve(reply: unknown): void {
    this.limit?.[Symbol.dispose]()
    this.#resolve(reply)
  }

  reject(error: Error): void {
    this.limit?.[Symbol.dispose]()
    this.#reject(error)
  }
}

const ignore = (): void => {}
