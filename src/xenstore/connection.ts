import type { Buffer } from 'node:buffer'
import { timeoutProblem } from '../link/limits.js'
import { noteArrival } from '../link/look-once-more.js'
import { RequestTable } from '../link/request-table.js'
import type { Duplex } from './duplex.js'
import { Malformed } from './malformed.js'
import { errorReply, operations, watchEvent } from './operation.js'
import { headerSize, type Packet, setRequestId } from './packet.js'
import { OversizedPacket, packetFraming } from './packet-reader.js'
import { quoted, text, texts } from './reply.js'
import { requestError } from './request-error.js'
import { nextRequestId } from './request-id.js'
import { type Call, prepare } from './request-kind.js'
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
  readonly #timeout: number | undefined
  readonly #events: ConnectionEvents
  readonly #reader = packetFraming.decoder()
  readonly #requests: RequestTable<number, Call<unknown>>
  #resolveClosed!: (error: XenstoreError | undefined) => void
  #over: XenstoreError | undefined

  constructor(duplex: Duplex, { maxInFlight, timeout }: ConnectionOptions, events: ConnectionEvents) {
    this.#duplex = duplex
    this.#timeout = timeout
    this.#events = events
    this.#requests = new RequestTable({
      atMost: Math.min(maxInFlight, duplex.mostInFlight ?? Number.POSITIVE_INFINITY),
      nextId: nextRequestId,
      send: (id, { packet }) => {
        setRequestId(packet, id)
        duplex.write(packet)
      },
      overError: ({ operation, path }, { code, why, cause }) => requestError(operation, path, code, why, cause),
      lostError: ({ operation, path }, error) => requestError(operation, path, error.code, error.message, error),
    })
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
    return this.#requests.statistics
  }

  /** Sends a request when there is a place for it. The promise fails with a XenstoreError. */
  request<Reply>(call: Call<Reply>, options?: RequestOptions): Promise<Reply> {
    const { operation, path, packet } = call
    if (this.#over === undefined) {
      const refusal = this.#duplex.refusal?.(operation, packet)
      if (refusal !== undefined) return Promise.reject(requestError(operation, path, refusal.code, refusal.why))
    }
    const signal = options?.signal
    const timeout = options?.timeout ?? this.#timeout
    const problem = timeoutProblem(timeout)
    if (problem !== undefined) return Promise.reject(requestError(operation, path, 'EINVAL', problem))
    const limits = signal === undefined && timeout === undefined ? undefined : { signal, timeout }
    const reply = this.#requests.ask<Reply>(call as Call<unknown>, limits)
    if (packet.length === headerSize && !signal?.aborted) this.#requests.tell(nudge())
    return reply
  }

  close(): Promise<XenstoreError | undefined> {
    if (this.#over === undefined) this.#finish(new XenstoreError('EBADF', 'the connection was closed'))
    return this.closed
  }

  #data(bytes: Uint8Array): void {
    if (this.#over !== undefined) return
    noteArrival()
    this.#requests.holding(() => {
      try {
        this.#reader.push(bytes, packet => {
          if (this.#over === undefined) this.#take(packet)
        })
      } catch (error) {
        if (!(error instanceof Malformed || error instanceof OversizedPacket)) throw error
        const operation = error instanceof OversizedPacket && this.#requests.peek(error.requestId)?.operation
        const what = operation ? `${error.message} in answer to ${operation}` : error.message
        this.#finish(new XenstoreError('EPROTO', `the daemon does not keep to the protocol: ${what}`))
      }
    })
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
    const call = this.#requests.peek(requestId)
    if (call === undefined) throw new Malformed(`an answer (type ${type}) to no request (id ${requestId})`)
    const { operation, path } = call
    if (type === errorReply) {
      const code = errorCode(payload)
      this.#requests.reject(requestId, () => call.explain?.(code) ?? requestError(operation, path, code))
    } else if (type === operations[operation]) {
      this.#requests.resolve(requestId, () => call.decode(payload))
    } else {
      throw new Malformed(`an answer of type ${type} to ${operation} (type ${operations[operation]})`)
    }
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
    this.#requests.failAll(error)
    this.#events.over(error)
    this.#duplex.close()
  }
}

/** oxenstored sees a packet without a payload only when more comes: something that it always answers. */
const nudge = (): Call<unknown> => prepare(getDomainPath, 0, [0])

/** @throws Malformed */
function errorCode(payload: Buffer): string {
  const code = text(payload)
  if (!/^E[A-Z0-9]{1,30}$/.test(code)) throw new Malformed(`an error without a name: ${quoted(payload)}`)
  return code
}
