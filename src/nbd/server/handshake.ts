import { Buffer } from 'node:buffer'
import type { ByteQueue } from '../byte-queue.js'
import type { NbdExport } from '../nbd-export.js'
import { allocationContext, handshakeFlag, info, option, optionMagic, reply, serverMagic } from '../protocol.js'
import { BadOption, readContextRequest, readInfoRequest, readName } from './option-data.js'
import { blockSizeReply, contextReply, exportInfo, infoReplies, optionReply, serverReply } from './option-replies.js'

/** Room for a name and many queries. */
const optionMax = 16 * 1024
/** A client that leaves so much unread is asked nothing more of; a socket tells when it has sent so much, not less. */
const unsentAtMost = 64 * 1024

/** What both sides have agreed on. */
export interface Agreed {
  chosen: NbdExport
  structured: boolean
  /** base:allocation was selected. */
  allocation: boolean
}

export interface HandshakeWorld {
  find(name: string): NbdExport | undefined
  /** Undefined where they cannot be told. */
  names(): readonly string[] | undefined
  /** How much of what was sent is on its way. */
  unsent(): number
  send(bytes: Buffer): void
  /** How TLS stands: `none` there is none, `may` and `must` it can begin, `on` it has begun. */
  tls(): 'none' | 'may' | 'must' | 'on'
}

/** What comes after a step: more of the handshake, more bytes or room are needed, TLS begins, or it is over. */
export type HandshakeStep = 'more' | 'wait' | 'busy' | 'tls' | 'bye' | 'garbage' | Agreed

export const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18)
  bytes.writeBigUInt64BE(serverMagic, 0)
  bytes.writeBigUInt64BE(optionMagic, 8)
  bytes.writeUInt16BE(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes, 16)
  return bytes
}

/** The server's side of the handshake: a state machine over what came. */
export class Handshake {
  readonly #world: HandshakeWorld
  #noZeroes: boolean | undefined
  #structured = false
  /** The export for which base:allocation was selected. */
  #allocationOf: string | undefined
  /** The export whose block sizes the client asked for last. */
  #sizesOf: string | undefined
  #header: { kind: number; length: number } | undefined
  /** What is left of an option that is too long. */
  #skip = 0

  constructor(world: HandshakeWorld) {
    this.#world = world
  }

  /** TLS has begun: what was agreed on without it does not count. */
  reset(): void {
    this.#structured = false
    this.#allocationOf = undefined
    this.#sizesOf = undefined
  }

  step(input: ByteQueue): HandshakeStep {
    if (this.#noZeroes === undefined) return this.#flags(input)
    if (this.#skip > 0) {
      const part = Math.min(this.#skip, input.length)
      input.skip(part)
      this.#skip -= part
      return this.#skip > 0 ? 'wait' : 'more'
    }
    if (this.#world.unsent() >= unsentAtMost) return 'busy'
    if (this.#header === undefined) {
      if (input.length < 16) return 'wait'
      const bytes = input.take(16)
      if (bytes.readBigUInt64BE(0) !== optionMagic) return 'garbage'
      this.#header = { kind: bytes.readUInt32BE(8), length: bytes.readUInt32BE(12) }
    }
    const { kind, length } = this.#header
    // one that fails leaves none selected
    if (kind === option.setMetaContext) this.#allocationOf = undefined
    if (length > optionMax) {
      if (kind === option.exportName) return 'garbage'
      this.#header = undefined
      this.#skip = length
      this.#refuse(kind, reply.tooBig, `at most ${optionMax} bytes`)
      return 'more'
    }
    if (input.length < length) return 'wait'
    this.#header = undefined
    const data = input.take(length)
    try {
      return this.#option(kind, data)
    } catch (error) {
      if (!(error instanceof BadOption)) throw error
      if (kind === option.exportName) return 'garbage'
      this.#refuse(kind, reply.invalid, error.message)
      return 'more'
    }
  }

  #flags(input: ByteQueue): HandshakeStep {
    if (input.length < 4) return 'wait'
    const flags = input.take(4).readUInt32BE()
    if ((flags & ~(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)) !== 0) return 'garbage'
    this.#noZeroes = (flags & handshakeFlag.noZeroes) !== 0
    return 'more'
  }

  #option(kind: number, data: Buffer): HandshakeStep {
    const { send, tls } = this.#world
    if (kind === option.abort) {
      send(optionReply(kind, reply.ack))
      return 'bye'
    }
    if (tls() === 'must' && kind !== option.startTls) {
      if (kind === option.exportName) return 'bye'
      this.#refuse(kind, reply.tlsRequired, 'TLS first')
      return 'more'
    }
    switch (kind) {
      case option.exportName:
        return this.#exportName(data)
      case option.info:
      case option.go:
        return this.#infoOrGo(kind, data)
      case option.list:
        this.#list(kind, data)
        return 'more'
      case option.startTls:
        return this.#startTls(kind, data)
      case option.structuredReply:
        noData(data)
        this.#structured = true
        send(optionReply(kind, reply.ack))
        return 'more'
      case option.listMetaContext:
      case option.setMetaContext:
        this.#contexts(kind, data)
        return 'more'
      default:
        this.#refuse(kind, reply.unsupported, 'no such option here')
        return 'more'
    }
  }

  #exportName(data: Buffer): HandshakeStep {
    const name = readName(data)
    const chosen = this.#world.find(name)
    // the option has no answer for failure
    if (chosen === undefined || !this.#knowsSizes(name, chosen)) return 'bye'
    this.#world.send(Buffer.concat([exportInfo(chosen, this.#structured), Buffer.alloc(this.#noZeroes ? 0 : 124)]))
    return this.#agreed(name, chosen)
  }

  #infoOrGo(kind: number, data: Buffer): HandshakeStep {
    const { name, wanted } = readInfoRequest(data)
    const chosen = this.#world.find(name)
    if (chosen === undefined) {
      this.#refuse(kind, reply.unknown, 'no such export')
      return 'more'
    }
    if (wanted.includes(info.blockSize)) this.#sizesOf = name
    if (!this.#knowsSizes(name, chosen)) {
      // saves the client a question
      this.#world.send(blockSizeReply(kind, chosen))
      this.#refuse(kind, reply.blockSizeRequired, 'ask for its block sizes')
      return 'more'
    }
    for (const bytes of infoReplies(kind, chosen, wanted, this.#structured)) this.#world.send(bytes)
    this.#world.send(optionReply(kind, reply.ack))
    return kind === option.go ? this.#agreed(name, chosen) : 'more'
  }

  #list(kind: number, data: Buffer): void {
    noData(data)
    const names = this.#world.names()
    if (names === undefined) this.#refuse(kind, reply.unknown, 'the names cannot be told')
    else this.#world.send(Buffer.concat([...names.map(name => serverReply(kind, name)), optionReply(kind, reply.ack)]))
  }

  #startTls(kind: number, data: Buffer): HandshakeStep {
    noData(data)
    const state = this.#world.tls()
    if (state === 'may' || state === 'must') {
      this.#world.send(optionReply(kind, reply.ack))
      return 'tls'
    }
    if (state === 'none') this.#refuse(kind, reply.unsupported, 'no TLS here')
    else this.#refuse(kind, reply.invalid, 'TLS has begun')
    return 'more'
  }

  #contexts(kind: number, data: Buffer): void {
    const { name, queries } = readContextRequest(data)
    const isSet = kind === option.setMetaContext
    if (!this.#structured) throw new BadOption('structured replies first')
    if (this.#world.find(name) === undefined) {
      this.#refuse(kind, reply.unknown, 'no such export')
      return
    }
    const isMeant =
      queries.includes(allocationContext) || (!isSet && (queries.length === 0 || queries.includes('base:')))
    if (isMeant) {
      this.#world.send(contextReply(kind, isSet))
      if (isSet) this.#allocationOf = name
    }
    this.#world.send(optionReply(kind, reply.ack))
  }

  /** Who asked for them with INFO knows them still at GO. */
  #knowsSizes(name: string, { blockSizes }: NbdExport): boolean {
    return (blockSizes?.minimum ?? 1) === 1 || this.#sizesOf === name
  }

  #agreed(name: string, chosen: NbdExport): Agreed {
    return { chosen, structured: this.#structured, allocation: this.#allocationOf === name }
  }

  #refuse(kind: number, type: number, why: string): void {
    this.#world.send(optionReply(kind, type, why))
  }
}

function noData(data: Buffer): void {
  if (data.length > 0) throw new BadOption('more data than the option has')
}
