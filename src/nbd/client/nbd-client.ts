import { Buffer } from 'node:buffer'
import {
  checkFlag,
  checkInteger,
  checkLimits,
  checkMethods,
  checkObject,
  checkText,
  wrongType,
} from '../../check-argument.js'
import { beforeDeadline } from '../../link/before-deadline.js'
import type { Duplex } from '../../link/duplex.js'
import type { Limits } from '../../link/limits.js'
import type { BlockExtent } from '../block-backend.js'
import { NbdError } from '../nbd-error.js'
import { command, commandFlag, exportFlag } from '../protocol.js'
import { ClientConnection } from './client-connection.js'
import { type Asked, extentsAtMost, protocolError } from './client-replies.js'
import { abort, chooseExport, type NegotiateOptions } from './negotiate.js'
import type { ExportInfo } from './options.js'
import { askInParts, type Range } from './parts.js'

export interface NbdClientOptions extends Limits {
  /** The export's name; '' by default. */
  export?: string | undefined
  /** For the handshake, in milliseconds. 10,000 by default. */
  timeout?: number | undefined
  /** Puts TLS on the connection; where it is given, a server without TLS is refused. */
  secure?: (() => Promise<Duplex>) | undefined
}

export interface NbdWriteOptions extends Limits {
  /** Durable when it settles. */
  fua?: boolean | undefined
}

export interface NbdZeroOptions extends NbdWriteOptions {
  /** Holes are allowed; true by default. */
  mayTrim?: boolean | undefined
  /** Fails with ENOTSUP rather than be as slow as a write. */
  fast?: boolean | undefined
}

/** So much of a TRIM, WRITE_ZEROES or BLOCK_STATUS is asked at once: its length has 32 bits. */
const rangeMax = 2 ** 30
/** A server that does not say its maximum takes so much, by the specification. */
const payloadMax = 32 * 1024 * 1024
/** So many requests, and so many bytes, of one call are on their way at a time. */
const requestsAtOnce = 64
const bytesAtOnce = 4 * payloadMax
const payloadsAtOnce = (most: number): number => Math.min(requestsAtOnce, Math.floor(bytesAtOnce / most))

/**
 * Speaks NBD over a connection that is made; resolves when the export can be used.
 *
 * @throws NbdError `refused`, `no-tls`, EPROTO, ETIMEDOUT, ECANCELED, ECONNRESET
 */
export async function openNbd(duplex: Duplex, options: NbdClientOptions = {}): Promise<NbdClient> {
  checkMethods('duplex', duplex, ['start', 'write', 'close'], 'a duplex')
  const { connection, found } = await negotiated(duplex, options, chooseExport)
  return new NbdClient(connection, found)
}

/** Runs a handshake within its limits, and ends the connection where it fails. */
export async function negotiated<Found>(
  duplex: Duplex,
  options: NbdClientOptions,
  negotiate: (connection: ClientConnection, options: NegotiateOptions) => Promise<Found>,
): Promise<{ connection: ClientConnection; found: Found }> {
  checkObject('options', options)
  checkLimits(options)
  const { signal, timeout = 10_000, secure, export: exportName = '' } = options
  checkText('export', exportName)
  const connection = new ClientConnection(duplex)
  const overError = ({ code, why, cause }: { code: string; why: string; cause?: unknown }) =>
    new NbdError(code, `no NBD handshake: ${why}`, { cause })
  try {
    const found = await beforeDeadline(negotiate(connection, { exportName, secure }), { signal, timeout }, overError)
    return { connection, found }
  } catch (error) {
    if (error instanceof NbdError && (error.code === 'refused' || error.code === 'no-tls')) connection.write(abort())
    connection.end(new NbdError('EBADF', 'the handshake failed'))
    throw error
  }
}

/** An export of a server, and the requests to it. Requests are sent at once, and may be answered in any order. */
export class NbdClient implements AsyncDisposable {
  readonly info: ExportInfo
  readonly #connection: ClientConnection
  readonly #payloadMax: number
  readonly #minimum: number

  constructor(connection: ClientConnection, info: ExportInfo) {
    this.#connection = connection
    this.info = info
    this.#payloadMax = Math.min(info.blockSizes?.maximum ?? payloadMax, payloadMax)
    this.#minimum = info.blockSizes?.minimum ?? 1
  }

  /** In bytes. */
  get size(): number {
    return this.info.size
  }

  get readOnly(): boolean {
    return this.#has(exportFlag.readOnly)
  }

  /** Settles when the connection is over, with its error, or undefined after `disconnect`. */
  get closed(): Promise<NbdError | undefined> {
    return this.#connection.closed
  }

  /** @throws NbdError the server's code (EIO, …), or what befell the connection */
  async read(offset: number, length: number, limits?: Limits): Promise<Uint8Array> {
    this.#checkRange(offset, length)
    const target = Buffer.alloc(length)
    await this.#askAll(command.read, { offset, length }, 0, false, limits, (from, to) => ({
      target: target.subarray(from, to),
    }))
    return target
  }

  /** The data must stay as it is until it settles. */
  async write(offset: number, data: Uint8Array, { fua, ...limits }: NbdWriteOptions = {}): Promise<void> {
    if (!(data instanceof Uint8Array)) throw wrongType('data', 'a Uint8Array', data)
    this.#checkRange(offset, data.length)
    await this.#askAll(command.write, { offset, length: data.length }, 0, fua, limits, (from, to) => ({
      data: data.subarray(from, to),
    }))
  }

  /** What was written before is durable when it settles. */
  async flush(limits?: Limits): Promise<void> {
    checkLimits(limits)
    this.#need(exportFlag.sendFlush, 'FLUSH')
    await this.#connection.during(() => this.#ask(command.flush, nothing, 0, limits))
  }

  async trim(offset: number, length: number, { fua, ...limits }: NbdWriteOptions = {}): Promise<void> {
    this.#checkRange(offset, length)
    this.#need(exportFlag.sendTrim, 'TRIM')
    await this.#askAll(command.trim, { offset, length }, 0, fua, limits)
  }

  async writeZeroes(offset: number, length: number, options: NbdZeroOptions = {}): Promise<void> {
    const { fua, mayTrim = true, fast = false, ...limits } = options
    checkFlag('mayTrim', mayTrim)
    checkFlag('fast', fast)
    this.#checkRange(offset, length)
    this.#need(exportFlag.sendWriteZeroes, 'WRITE_ZEROES')
    if (fast) this.#need(exportFlag.sendFastZero, 'fast zeroes')
    const flags = (mayTrim ? 0 : commandFlag.noHole) | (fast ? commandFlag.fastZero : 0)
    await this.#askAll(command.writeZeroes, { offset, length }, flags, fua, limits)
  }

  /**
   * The parts of a range, in order, as the server has them.
   *
   * @throws NbdError ENOTSUP where it does not tell, EPROTO where it tells of more than 262,144 parts: ask for a shorter range then
   */
  async blockStatus(offset: number, length: number, limits?: Limits): Promise<BlockExtent[]> {
    checkLimits(limits)
    this.#checkRange(offset, length)
    if (this.#connection.contextId === undefined) throw notSupported('base:allocation')
    return this.#connection.during(() =>
      this.#connection.within(command.blockStatus, limits, left => this.#status(offset, length, left)),
    )
  }

  async #status(offset: number, length: number, limits: Limits | undefined): Promise<BlockExtent[]> {
    const extents: BlockExtent[] = []
    let count = 0
    for (let at = 0; at < length; ) {
      const part = { offset: offset + at, length: Math.min(length - at, rangeMax) }
      const { extents: found = [] } = await this.#ask(command.blockStatus, part, 0, limits)
      count += found.length
      if (count > extentsAtMost) throw protocolError(`a status of more than ${extentsAtMost} parts`)
      for (const extent of found) {
        const last = extents.at(-1)
        if (last?.hole === extent.hole && last.zero === extent.zero) last.length += extent.length
        else extents.push(extent)
        at += extent.length
      }
    }
    return extents
  }

  /** Waits for what was asked, takes leave of the server, and closes. */
  async disconnect(): Promise<void> {
    await this.#connection.leave()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect()
  }

  async #askAll(
    kind: number,
    range: Range,
    flags: number,
    fua: boolean | undefined,
    limits: Limits | undefined,
    payload?: (from: number, to: number) => Partial<Asked>,
  ): Promise<void> {
    checkFlag('fua', fua)
    checkLimits(limits)
    const hasFua = this.#has(exportFlag.sendFua)
    const sent = flags | (fua && hasFua ? commandFlag.fua : 0)
    const most = payload === undefined ? rangeMax : this.#payloadMax
    const isOne = range.length <= most && (!fua || hasFua)
    const askParts = async (left: Limits | undefined) => {
      await askInParts(range, most, payload === undefined ? requestsAtOnce : payloadsAtOnce(most), part => {
        const from = part.offset - range.offset
        return this.#ask(kind, part, sent, left, payload?.(from, from + part.length))
      })
      if (!fua || hasFua) return
      this.#need(exportFlag.sendFlush, 'FLUSH')
      await this.#ask(command.flush, nothing, 0, left)
    }
    const connection = this.#connection
    await connection.during(() => (isOne ? askParts(limits) : connection.within(kind, limits, askParts)))
  }

  #ask(
    kind: number,
    { offset, length }: Range,
    flags: number,
    limits: Limits | undefined,
    more?: Partial<Asked>,
  ): Promise<Asked> {
    return this.#connection.ask({ kind, offset, length, flags, got: [], ...more }, limits)
  }

  #checkRange(offset: number, length: number): void {
    checkInteger('offset', offset, 0, this.size)
    checkInteger('length', length, 0, this.size - offset)
    const minimum = this.#minimum
    if (offset % minimum !== 0 || length % minimum !== 0)
      throw new NbdError('EINVAL', `the server takes multiples of ${minimum} bytes, not ${length} at ${offset}`)
  }

  #has(flag: number): boolean {
    return (this.info.flags & flag) !== 0
  }

  #need(flag: number, what: string): void {
    if (!this.#has(flag)) throw notSupported(what)
  }
}

const nothing: Range = { offset: 0, length: 0 }

const notSupported = (what: string): NbdError => new NbdError('ENOTSUP', `the server has no ${what} for this export`)
