import { Buffer } from 'node:buffer'
import type { BlockBackend } from '../block-backend.js'
import { command, commandFlag, errorNumber, errorNumberOf } from '../protocol.js'
import type { AnswerWay } from './answering.js'
import {
  errorChunkSize,
  readHeaderSize,
  simpleSize,
  statusSize,
  writeErrorChunk,
  writeReadHeader,
  writeSimple,
  writeStatus,
} from './replies.js'
import { ReplyWriter, smallReply } from './reply-writer.js'
import type { Request } from './request.js'
import { shownExtents } from './shown-extents.js'

/** A reply to BLOCK_STATUS names so many parts at most. */
const extentsAtMost = 1024

/** What requests are answered with. What a backend gives is not believed. */
export class Answers {
  readonly #duplex: AnswerWay
  readonly #structured: boolean
  readonly #replies: ReplyWriter
  /** Nothing is answered any more. */
  isOver = false

  constructor(duplex: AnswerWay, structured: boolean) {
    this.#duplex = duplex
    this.#structured = structured
    this.#replies = new ReplyWriter(duplex)
  }

  /**
   * Sends together what `work` leads to at once; with what is done next, where more is coming in this turn of the event loop: a client that is
   * woken once for many replies sends many requests at once.
   */
  holding(work: () => void, isMoreComing: boolean): void {
    this.#replies.holding = true
    work()
    this.#replies.holding = false
    if (isMoreComing) setImmediate(this.flush)
    else this.flush()
  }

  /** Sends what is held, unless it is over. */
  readonly flush = (): void => {
    if (!this.isOver) this.#replies.flush()
  }

  /** Reads straight into the reply, where the backend can. */
  readAtOnce(backend: BlockBackend, request: Request): boolean {
    if (backend.readInto === undefined) return false
    const before = readHeaderSize(this.#structured, request)
    const size = before + request.length
    const isSmall = size <= smallReply
    const at = isSmall ? this.#replies.room(size) : 0
    const bytes = isSmall ? this.#replies.bytes : Buffer.allocUnsafeSlow(size)
    try {
      backend.readInto(request.offset, bytes.subarray(at + before, at + size))
    } catch (error) {
      if (isSmall) this.#replies.giveBack(size)
      this.fail(request, errorNumberOf(error))
      return true
    }
    writeReadHeader(bytes, at, this.#structured, request)
    if (isSmall) this.#replies.filled()
    else this.#replies.send(bytes)
    return true
  }

  /** Answers what was done, with what it gave. */
  answer(request: Request, value: unknown): void {
    if (this.isOver) return
    if (request.kind === command.read) this.#answerRead(request, value)
    else if (request.kind === command.blockStatus) this.#answerStatus(request, value)
    else {
      const at = this.#replies.room(simpleSize)
      writeSimple(this.#replies.bytes, at, 0, request)
      this.#replies.filled()
    }
  }

  #answerRead(request: Request, data: unknown): void {
    if (!(data instanceof Uint8Array) || data.length !== request.length) {
      this.fail(request, errorNumber.EIO)
      return
    }
    const before = readHeaderSize(this.#structured, request)
    const size = before + request.length
    const isSmall = size <= smallReply
    const at = isSmall ? this.#replies.room(size) : 0
    const bytes = isSmall ? this.#replies.bytes : Buffer.allocUnsafe(before)
    writeReadHeader(bytes, at, this.#structured, request)
    if (isSmall) {
      bytes.set(data, at + before)
      this.#replies.filled()
    } else {
      this.#replies.send(bytes)
      this.#duplex.write(data)
    }
  }

  #answerStatus(request: Request, extents: unknown): void {
    const shown = shownExtents(extents, request.length, (request.flags & commandFlag.reqOne) !== 0 ? 1 : extentsAtMost)
    if (shown === undefined) {
      this.fail(request, errorNumber.EIO)
      return
    }
    const at = this.#replies.room(statusSize(shown))
    writeStatus(this.#replies.bytes, at, shown, request)
    this.#replies.filled()
  }

  fail(request: Request, error: number): void {
    if (this.isOver) return
    const needsChunk = this.#structured && (request.kind === command.read || request.kind === command.blockStatus)
    const at = this.#replies.room(needsChunk ? errorChunkSize : simpleSize)
    const { bytes } = this.#replies
    if (needsChunk) writeErrorChunk(bytes, at, error, request)
    else writeSimple(bytes, at, error, request)
    this.#replies.filled()
  }
}
