import { Buffer } from 'node:buffer'
import type { BlockBackend } from '../block-backend.js'
import type { ByteQueue } from '../byte-queue.js'
import type { NbdExport } from '../nbd-export.js'
import { command, commandFlag, errorNumberOf, requestMagic } from '../protocol.js'
import type { AnswerWay } from './answering.js'
import { Answers } from './answers.js'
import { type Request, type RequestRules, readRequest, refusalOf, requestSize, rulesOf } from './request.js'

/**
 * Limits of one connection, beyond which nothing more of it is begun or read: requests under way, their bytes with those that the client has
 * not read, and these alone. One more request may be on its way in, so that a client costs 64 MiB at most.
 */
const requestsAtMost = 256
const bytesAtMost = 32 * 1024 * 1024
const unsentAtMost = 1024 * 1024
/** Zeroes take long, however short their request: what is under way has no more than this and one request. */
const zeroesAtMost = 1024 * 1024 * 1024
const keptAtMost = 4 * 1024 * 1024

/** What comes after a step: another, more bytes or room are needed, the client takes its leave, or it sent garbage. */
export type TransmissionStep = 'more' | 'wait' | 'busy' | 'bye' | 'garbage'

/** The server's side once an export is chosen: starts requests as they come, answers as they are done. */
export class Transmission {
  readonly #duplex: AnswerWay
  readonly #backend: BlockBackend
  readonly #rules: RequestRules
  readonly answers: Answers
  readonly #settled: () => void
  #request: Request | undefined
  /** What is left of a payload that is not wanted. */
  #skip = 0
  #requests = 0
  #bytes = 0
  #zeroes = 0
  readonly #gone = new AbortController()
  /** For payloads that come in pieces; lent to one write at a time. */
  #scratch: Buffer | undefined
  /** What the payload just taken is lent; undefined where it lies in what came from the socket. */
  #lent: Buffer | undefined

  constructor(
    duplex: AnswerWay,
    { chosen, structured, allocation }: { chosen: NbdExport; structured: boolean; allocation: boolean },
    settled: () => void,
  ) {
    this.#duplex = duplex
    this.#backend = chosen.backend
    this.#rules = rulesOf(chosen, allocation)
    this.answers = new Answers(duplex, structured)
    this.#settled = settled
  }

  /** How many requests are under way. */
  get requests(): number {
    return this.#requests
  }

  /** What is under way goes on, but for zeroes, and is not answered; nothing more begins. */
  end(): void {
    this.answers.isOver = true
    this.#gone.abort()
  }

  /** Nothing more begins before something is through or read. */
  get isBusy(): boolean {
    const unsent = this.#duplex.unsent ?? 0
    return (
      this.#requests >= requestsAtMost ||
      unsent >= unsentAtMost ||
      this.#bytes + unsent >= bytesAtMost ||
      this.#zeroes >= zeroesAtMost
    )
  }

  step(input: ByteQueue): TransmissionStep {
    if (this.#skip > 0) {
      const part = Math.min(this.#skip, input.length)
      input.skip(part)
      this.#skip -= part
      return this.#skip > 0 ? 'wait' : 'more'
    }
    if (this.isBusy) return 'busy'
    if (this.#request === undefined) {
      if (input.length < requestSize) return 'wait'
      const front = input.front(requestSize)
      const at = front === undefined ? 0 : input.frontAt
      const header = front ?? input.take(requestSize)
      if (header.readUInt32BE(at) !== requestMagic) return 'garbage'
      const request = readRequest(header, at)
      if (front !== undefined) input.skip(requestSize)
      if (request.kind === command.disconnect) return 'bye'
      const refusal = refusalOf(request, this.#rules)
      if (refusal !== undefined) {
        if (request.kind === command.write) this.#skip = request.length
        this.answers.fail(request, refusal)
        return 'more'
      }
      if (request.kind !== command.write) {
        this.#begin(request)
        return 'more'
      }
      this.#request = request
    }
    const request = this.#request
    if (input.length < request.length) return 'wait'
    this.#request = undefined
    this.#lent = undefined
    this.#begin(request, input.take(request.length, this.#lend), this.#lent)
    return 'more'
  }

  readonly #lend = (size: number): Buffer => {
    const scratch = this.#scratch
    if (scratch !== undefined && scratch.length >= size) {
      this.#scratch = undefined
      this.#lent = scratch
      return scratch.subarray(0, size)
    }
    this.#lent = Buffer.allocUnsafeSlow(size)
    return this.#lent
  }

  /** Keeps one for the next payload, where it is not too large to keep for every client. */
  #giveBack(lent: Buffer | undefined): void {
    if (lent !== undefined && lent.length <= keptAtMost) this.#scratch = lent
  }

  #begin(request: Request, data?: Buffer, lent?: Buffer): void {
    if (request.kind === command.read && this.answers.readAtOnce(this.#backend, request)) return
    let done: unknown
    try {
      done = this.#run(request, data)
    } catch (error) {
      this.answers.fail(request, errorNumberOf(error))
      return
    }
    if (!isThenable(done)) {
      this.#giveBack(lent)
      this.answers.answer(request, done)
      return
    }
    this.#requests++
    const bytes = request.kind === command.read || request.kind === command.write ? request.length : 0
    const zeroes = request.kind === command.writeZeroes ? request.length : 0
    this.#bytes += bytes
    this.#zeroes += zeroes
    const over = () => {
      this.#requests--
      this.#bytes -= bytes
      this.#zeroes -= zeroes
      this.#settled()
    }
    done.then(
      value => {
        this.#giveBack(lent)
        this.answers.answer(request, value)
        over()
      },
      error => {
        this.answers.fail(request, errorNumberOf(error))
        over()
      },
    )
  }

  /** @returns what was read or its promise, nothing, or the promise of nothing */
  #run({ kind, flags, offset, length }: Request, data: Buffer | undefined): unknown {
    const backend = this.#backend
    switch (kind) {
      case command.read:
        return backend.read(offset, length)
      case command.write:
        return this.#durably(flags, backend.write(offset, data!))
      case command.flush:
        return backend.flush()
      case command.trim:
        return this.#durably(flags, backend.trim(offset, length))
      case command.writeZeroes: {
        const mayTrim = (flags & commandFlag.noHole) === 0
        const fast = (flags & commandFlag.fastZero) !== 0
        return this.#durably(flags, backend.writeZeroes(offset, length, { mayTrim, fast, signal: this.#gone.signal }))
      }
      default:
        return backend.blockStatus?.(offset, length) ?? [{ length, hole: false, zero: false }]
    }
  }

  /** FUA is a flush after it. */
  #durably(flags: number, done: void | PromiseLike<void>): void | PromiseLike<void> {
    if ((flags & commandFlag.fua) === 0) return done
    if (isThenable(done)) return done.then(() => this.#backend.flush())
    return this.#backend.flush()
  }
}

/** A backend may have promises of its own kind. */
const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | undefined | null)?.then === 'function'
