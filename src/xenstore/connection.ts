import type { Buffer } from 'node:buffer'
import type { Over } from '../link/deadline.js'
import { noteArrival } from '../link/look-once-more.js'
import type { Duplex } from './duplex.js'
import { limit } from './limit.js'
import { Malformed } from './malformed.js'
import { errorReply, operations, watchEvent } from './operation.js'
import { headerSize, type Packet, setRequestId } from './packet.js'
import { OversizedPacket, PacketReader } from './packet-reader.js'
import { PendingRequest } from './pending-request.js'
import { quoted, text, texts } from './reply.js'
import { requestError } from './request-error.js'
import { nextRequestId } from './request-id.js'
import { type Call, prepare } from './request-kind.js'
import { RequestQueue } from './request-queue.js'
import { getDomainPath } from './requests/domain.js'
import type { RequestOptions } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

export interface ConnectionOptions {
  /** How many requests may be unanswered at a time; the others wait for a place. */
  maxInFlight: number
  /** For requests that have none of their own, in milliseconds. */
  timeout: number | undefined
}

/** What a connection tells besides the answers. */
export interface ConnectionEvents {
  /** @throws Malformed where that is no watch of this connection's */
  watchEvent(path: string, token: string): void
  /** There is no connection any more; requests that were pending have failed. */
  over(error: XenstoreError): void
}

/**
 * The requests on their way to a daemon and back: numbered, bounded in flight, sent in the order called. Whatever ends the
 * connection fails all of them.
 */
export class Connection {
  /** Resolves when it is over: with the error, or undefined after `close`. */
  readonly closed: Promise<XenstoreError | undefined>
  readonly #duplex: Duplex
  readonly #options: ConnectionOptions
  readonly #mostInFlight: number
  readonly #events: ConnectionEvents
  readonly #reader = new PacketReader()
  /** By request id, in the order sent; abandoned ones too, as the daemon is not done with them. */
  readonly #sent = new Map<number, PendingRequest>()
  readonly #queue = new RequestQueue()
  #resolveClosed!: (error: XenstoreError | undefined) => void
  #lastId = 0
  #requests = 0
  #late = 0
  #sending = false
  #over: XenstoreError | undefined

  constructor(duplex: Duplex, options: ConnectionOptions, events: ConnectionEvents) {
    this.#duplex = duplex
    this.#options = options
    this.#mostInFlight = Math.min(options.maxInFlight, duplex.mostInFlight ?? Number.POSITIVE_INFINITY)
    this.#events = events
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
  }

  /** Begins to read, once all that the events are for is there: the other end may speak at once. */
  start(): void {
    this.#duplex.start({ data: bytes => this.#data(bytes), end: cause => this.#ended(cause) })
  }

  /** Why nothing can be sent any more. */
  get over(): XenstoreError | undefined {
    return this.#over
  }

  get statistics(): { requests: number; inFlight: number; queued: number; late: number } {
    return { requests: this.#requests, inFlight: this.#sent.size, queued: this.#queue.length, late: this.#late }
  }

  /** Sends a request when there is a place for it. The promise fails with a XenstoreError. */
  request<Reply>(call: Call<Reply>, options?: RequestOptions): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = new PendingRequest(call, resolve as (reply: unknown) => void, reject)
      if (this.#over !== undefined) {
        request.reject(lost(request, this.#over))
        return
      }
      const refusal = this.#duplex.refusal?.(call.operation, call.packet)
      if (refusal !== undefined) {
        request.reject(requestError(call.operation, call.path, refusal.code, refusal.why))
        return
      }
      const signal = options?.signal
      const timeout = options?.timeout ?? this.#options.timeout
      if (signal !== undefined || timeout !== undefined) {
        request.limit = limit({ signal, timeout }, reason => this.#abandon(request, reason))
        if (request.abandoned) {
          call.unsent?.()
          return
        }
      }
      this.#queue.push(request)
      if (call.packet.length === headerSize) this.#queue.push(nudge())
      this.#send()
    })
  }

  close(): Promise<XenstoreError | undefined> {
    if (this.#over === undefined) this.#finish(new XenstoreError('EBADF', 'the connection was closed'))
    return this.closed
  }

  #send(): void {
    if (this.#sending) return
    this.#sending = true
    while (this.#queue.length > 0 && this.#sent.size < this.#mostInFlight && this.#over === undefined) {
      const request = this.#queue.shift()!
      this.#lastId = nextRequestId(this.#lastId, this.#sent)
      this.#sent.set(this.#lastId, request)
      this.#requests++
      setRequestId(request.call.packet, this.#lastId)
      this.#duplex.write(request.call.packet)
    }
    this.#sending = false
  }

  #abandon(request: PendingRequest, { code, why, cause }: Over): void {
    const { operation, path } = request.call
    request.abandoned = true
    request.reject(requestError(operation, path, code, why, cause))
    if (!request.queued) return
    this.#queue.remove(request)
    request.call.unsent?.()
  }

  #data(bytes: Uint8Array): void {
    if (this.#over !== undefined) return
    noteArrival()
    // what the answers lead to is sent after them: the other end may answer at once, in the middle of this
    const sending = this.#sending
    this.#sending = true
    try {
      this.#reader.push(bytes, packet => {
        if (this.#over === undefined) this.#take(packet)
      })
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof OversizedPacket)) throw error
      const operation = error instanceof OversizedPacket && this.#sent.get(error.requestId)?.call.operation
      const what = operation ? `${error.message} in answer to ${operation}` : error.message
      this.#finish(new XenstoreError('EPROTO', `the daemon does not keep to the protocol: ${what}`))
    }
    this.#sending = sending
    this.#send()
  }

  /** @throws Malformed */
  #take({ type, requestId, payload }: Packet): void {
    if (type === watchEvent) {
      const [path, token, ...rest] = texts(payload)
      if (path === undefined || token === undefined || rest.length > 0) {
        throw new Malformed(`no watch event: ${quoted(payload)}`)
      }
      this.#events.watchEvent(path, token)
      return
    }
    const request = this.#sent.get(requestId)
    if (request === undefined) throw new Malformed(`an answer (type ${type}) to no request (id ${requestId})`)
    const { call } = request
    if (type !== errorReply && type !== operations[call.operation]) {
      throw new Malformed(`an answer of type ${type} to ${call.operation} (type ${operations[call.operation]})`)
    }
    if (type === errorReply) this.#refused(requestId, request, errorCode(payload))
    else this.#answered(requestId, request, payload)
  }

  #answered(requestId: number, request: PendingRequest, payload: Buffer): void {
    const reply = request.call.decode(payload)
    this.#sent.delete(requestId)
    if (request.abandoned) {
      this.#late++
      request.call.late?.(reply)
    } else {
      request.resolve(reply)
    }
  }

  #refused(requestId: number, request: PendingRequest, code: string): void {
    this.#sent.delete(requestId)
    if (request.abandoned) this.#late++
    else request.reject(request.call.explain?.(code) ?? requestError(request.call.operation, request.call.path, code))
  }

  /** The other end has closed, or we have. */
  #ended(cause: Error | undefined): void {
    const { unfinished } = this.#reader
    const where = unfinished === 0 ? '' : ` in the middle of a packet (after ${unfinished} bytes of it)`
    const why = cause === undefined ? '' : `: ${cause.message}`
    if (this.#over === undefined) {
      this.#finish(new XenstoreError('ECONNRESET', `the daemon closed the connection${where}${why}`, { cause }))
    }
    this.#resolveClosed(undefined)
  }

  #finish(error: XenstoreError): void {
    this.#over = error
    if (error.code !== 'EBADF') this.#resolveClosed(error)
    for (const request of this.#sent.values()) if (!request.abandoned) request.reject(lost(request, error))
    this.#sent.clear()
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      request.reject(lost(request, error))
    }
    this.#events.over(error)
    this.#duplex.close()
  }
}

/** oxenstored sees a packet without a payload only when more comes: something that it always answers. */
const nudge = (): PendingRequest =>
  new PendingRequest(
    prepare(getDomainPath, 0, [0]),
    () => {},
    () => {},
  )

const lost = ({ call }: PendingRequest, error: XenstoreError): XenstoreError =>
  requestError(call.operation, call.path, error.code, error.message, error)

/** @throws Malformed */
function errorCode(payload: Buffer): string {
  const code = text(payload)
  if (!/^E[A-Z0-9]{1,30}$/.test(code)) throw new Malformed(`an error without a name: ${quoted(payload)}`)
  return code
}
