import { Buffer } from 'node:buffer'
import { beforeDeadline } from '../../link/before-deadline.js'
import { deadline, type Over } from '../../link/deadline.js'
import type { Duplex } from '../../link/duplex.js'
import type { Limits } from '../../link/limits.js'
import { noteArrival } from '../../link/look-once-more.js'
import { RequestTable } from '../../link/request-table.js'
import { printable } from '../../printable.js'
import { ByteQueue } from '../byte-queue.js'
import { NbdError } from '../nbd-error.js'
import { command, requestMagic } from '../protocol.js'
import {
  type Asked,
  checkWhole,
  payloadSize,
  protocolError,
  type ReplyHeader,
  readReplyHeader,
  replyHeaderSize,
  takePayload,
} from './client-replies.js'

/** Requests on their way at a time; the others wait here. */
const atMost = 64
/** A payload so small goes out with its header. */
const smallPayload = 64 * 1024
/** A server may take so long to close after a farewell, in milliseconds. */
const farewell = 2000

/** The client's end of a connection: bytes for the handshake, then requests and their replies. */
export class ClientConnection {
  readonly closed: Promise<NbdError | undefined>
  structured = false
  /** The server's number for base:allocation; undefined where it was not agreed on. */
  contextId: number | undefined
  #resolveClosed!: (error: NbdError | undefined) => void
  #duplex: Duplex
  readonly #input = new ByteQueue()
  #wanted: { size: number; resolve: (bytes: Buffer) => void; reject: (error: NbdError) => void } | undefined
  #transmitting = false
  #header: ReplyHeader | undefined
  #over: NbdError | undefined
  readonly #requests: RequestTable<number, Asked>
  /** How many calls are under way, and who waits for none. */
  #calls = 0
  #idle: (() => void) | undefined
  /** Why no new call may begin. */
  #leaving: NbdError | undefined
  #left: Promise<void> | undefined

  constructor(duplex: Duplex) {
    this.#duplex = duplex
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
    this.#requests = new RequestTable({
      atMost,
      nextId: (last = 0) => last + 1,
      send: (id, asked) => this.#send(id, asked),
      overError: ({ kind }, over) => overError(kind, over),
      lostError: ({ kind }, error) => new NbdError(error.code, `${nameOf(kind)}: ${error.message}`, { cause: error }),
    })
    this.#start()
  }

  write(bytes: Uint8Array): void {
    this.#duplex.write(bytes)
  }

  /** The next bytes of the handshake. */
  take(size: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) reject(this.#over)
      else {
        this.#wanted = { size, resolve, reject }
        this.#serve()
      }
    })
  }

  /** @throws NbdError EPROTO where plain text follows the agreement on TLS */
  async secure(put: () => Promise<Duplex>): Promise<void> {
    if (this.#input.length > 0) throw protocolError('plain text where TLS begins')
    const duplex = await put().catch((error: NodeJS.ErrnoException) => {
      throw new NbdError(error.code ?? 'EPROTO', `TLS: ${printable(error.message)}`, { cause: error })
    })
    if (this.#over !== undefined) {
      duplex.close()
      throw this.#over
    }
    this.#duplex = duplex
    this.#start()
  }

  /** The handshake is over. */
  transmit(): void {
    this.#transmitting = true
    this.#pump()
  }

  /** A call, of one request or more: who leaves waits for it. @throws NbdError where the leaving has begun */
  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#leaving !== undefined) throw new NbdError(this.#leaving.code, this.#leaving.message)
    this.#calls++
    try {
      return await work()
    } finally {
      this.#calls--
      if (this.#calls === 0) this.#idle?.()
    }
  }

  /** The limits of a call of several requests are for all of them: `work` has limits for each, which end with them. */
  async within<Value>(
    kind: number,
    limits: Limits | undefined,
    work: (limits: Limits | undefined) => Promise<Value>,
  ): Promise<Value> {
    if (!hasLimit(limits)) return work(undefined)
    const ending = new AbortController()
    let why: Over | undefined
    using _ = deadline(limits, over => {
      why = over
      ending.abort()
    })
    try {
      return await work({ signal: ending.signal })
    } catch (error) {
      throw why === undefined ? error : overError(kind, why)
    }
  }

  ask(asked: Asked, limits?: Limits): Promise<Asked> {
    return this.#requests.ask<Asked>({ ...asked, isLimited: hasLimit(limits), context: this.contextId }, limits)
  }

  /** Takes leave once all calls are through. */
  leave(why = new NbdError('EBADF', 'the client has disconnected')): Promise<void> {
    this.#left ??= this.#leave(why)
    return this.#left
  }

  async #leave(why: NbdError): Promise<void> {
    this.#leaving = why
    if (this.#over === undefined && this.#calls > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
    if (this.#over === undefined) {
      this.#send(0, { kind: command.disconnect, offset: 0, length: 0, flags: 0, got: [] })
      this.#over = why
      this.#requests.failAll(why)
      await beforeDeadline(this.closed, { timeout: farewell }, () => why).catch(() => {})
      this.#duplex.close()
    }
    await this.closed
  }

  end(error: NbdError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#wanted?.reject(error)
    this.#requests.failAll(error)
    this.#input.clear()
    // a payload that is not sent is its owner's again
    if (this.#transmitting && this.#duplex.abort !== undefined) this.#duplex.abort()
    else this.#duplex.close()
  }

  #start(): void {
    const duplex = this.#duplex
    duplex.start({
      data: bytes => {
        if (this.#over !== undefined) return
        noteArrival()
        this.#input.push(bytes, duplex.givesAway ?? false)
        if (this.#transmitting) this.#requests.holding(() => this.#pump())
        else this.#serve()
      },
      end: cause => {
        const why = cause === undefined ? '' : `: ${printable(cause.message)}`
        this.end(new NbdError('ECONNRESET', `the server closed the connection${why}`, { cause }))
        this.#resolveClosed(this.#over?.code === 'EBADF' ? undefined : this.#over)
      },
    })
  }

  #serve(): void {
    const wanted = this.#wanted
    if (wanted === undefined || this.#input.length < wanted.size) return
    this.#wanted = undefined
    wanted.resolve(Buffer.from(this.#input.take(wanted.size)))
  }

  #pump(): void {
    try {
      while (this.#over === undefined && this.#reply());
    } catch (error) {
      if (!(error instanceof NbdError)) throw error
      this.end(error)
    }
  }

  /** Reads one reply. @returns whether there may be another @throws NbdError EPROTO */
  #reply(): boolean {
    const input = this.#input
    if (this.#header === undefined) {
      if (input.length < 16) return false
      const size = replyHeaderSize(input.peekUInt32())
      if (input.length < size) return false
      this.#header = readReplyHeader(input.take(size))
    }
    const header = this.#header
    const id = Number(header.cookie)
    const asked = this.#requests.peek(id)
    if (asked === undefined) throw protocolError(`a reply to no request (${header.cookie})`)
    const size = payloadSize(header, asked, this.structured)
    if (input.length < size) return false
    this.#header = undefined
    takePayload(header, input.take(size), asked)
    if (!header.isDone) return true
    checkWhole(asked)
    const { error, kind } = asked
    if (error === undefined) this.#requests.resolve(id, request => request)
    else {
      const why = error.why === '' ? '' : ` (${printable(error.why)})`
      this.#requests.reject(
        id,
        () => new NbdError(error.code, `${nameOf(kind)}: the server answers ${error.code}${why}`),
      )
      // the specification asks for a farewell then
      if (error.code === 'ESHUTDOWN') void this.leave(new NbdError(error.code, `the server shuts down${why}`))
    }
    return true
  }

  #send(id: number, { kind, flags, offset, length, data, isLimited }: Asked): void {
    const header = Buffer.alloc(28)
    header.writeUInt32BE(requestMagic, 0)
    header.writeUInt16BE(flags, 4)
    header.writeUInt16BE(kind, 6)
    header.writeBigUInt64BE(BigInt(id), 8)
    header.writeUInt32BE(Math.floor(offset / 2 ** 32), 16)
    header.writeUInt32BE(offset % 2 ** 32, 20)
    header.writeUInt32BE(length, 24)
    if (data === undefined) this.#duplex.write(header)
    else if (data.length <= smallPayload) this.#duplex.write(Buffer.concat([header, data]))
    else {
      this.#duplex.write(header)
      // who does not wait for the answer may use the bytes again before they are sent
      this.#duplex.write(isLimited ? Buffer.from(data) : data)
    }
  }
}

const names = new Map<number, string>(Object.entries(command).map(([name, kind]) => [kind, name]))
const hasLimit = (limits: Limits | undefined): limits is Limits =>
  limits?.signal !== undefined || limits?.timeout !== undefined
const overError = (kind: number, { code, why, cause }: Over) => new NbdError(code, `${nameOf(kind)}: ${why}`, { cause })
const nameOf = (kind: number): string => names.get(kind) ?? String(kind)
