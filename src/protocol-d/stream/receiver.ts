import type { EpochEntry, EpochLog } from '../keep/epoch-log.js'
import type { StreamMode } from '../keep/meta-record.js'
import type { NodeHost } from '../node-host.js'

export interface ReceiverOptions {
  /** Acknowledge checkpoints when they were received, before they are durable. */
  isVolatile: boolean
  /** A file failed. */
  failed(error: Error): void
  /** An epoch is too large for the log. */
  overflowed(): void
  /** A checkpoint was committed. */
  committed(checkpoint: number): void
}

/**
 * What a node receives of its peer's writes over one connection. As `direct`, what has come is committed whenever the log is not busy; in
 * checkpoints, a barrier commits, and what comes before it waits. The acknowledgement follows.
 */
export class Receiver {
  readonly #host: Pick<NodeHost, 'send'>
  readonly #log: EpochLog
  readonly #options: ReceiverOptions
  #mode: StreamMode = 'direct'
  #checkpoint: number
  /** The last that was appended. */
  #sequence = 0
  #isCommitting = false
  /** It waits for room in the log. */
  #held: { sequence: number; entry: EpochEntry } | undefined
  #isLost = false
  #whenRoom: (() => void)[] = []

  constructor(host: Pick<NodeHost, 'send'>, log: EpochLog, checkpoint: number, options: ReceiverOptions) {
    this.#host = host
    this.#log = log
    this.#checkpoint = checkpoint
    this.#options = options
  }

  /** The last one. */
  get checkpoint(): number {
    return this.#checkpoint
  }

  get mode(): StreamMode {
    return this.#mode
  }

  /** Whether it wants nothing more until there is room. */
  get isFull(): boolean {
    return this.#held !== undefined
  }

  /** A write of the peer's guest. What comes while there is no room waits, as the caller does: `whenRoom`. */
  take(sequence: number, entry: EpochEntry): void {
    const length = entry.kind === 'write' ? entry.data.length : 0
    if (this.#log.hasRoom(length)) {
      this.#append(sequence, entry)
      return
    }
    if (!this.#log.canHaveRoom(length)) {
      this.#options.overflowed()
      return
    }
    const own: EpochEntry = entry.kind === 'write' ? { ...entry, data: new Uint8Array(entry.data) } : entry
    this.#held = { sequence, entry: own }
    this.#wait()
  }

  #wait(): void {
    // what is not committed makes no room
    if (this.#mode === 'direct') this.#commit()
    this.#log.whenRoom(error => {
      if (this.#isLost) return
      if (error !== undefined) return this.#options.failed(error)
      const { sequence, entry } = this.#held!
      if (!this.#log.hasRoom(entry.kind === 'write' ? entry.data.length : 0)) return this.#wait()
      this.#held = undefined
      this.#append(sequence, entry)
      for (const done of this.#whenRoom.splice(0)) done()
    })
  }

  /** Calls back when the next one can be taken. */
  whenRoom(done: () => void): void {
    this.#whenRoom.push(done)
  }

  barrier(sequence: number, checkpoint: number, mode: StreamMode): void {
    this.#sequence = sequence
    this.#mode = mode
    this.#checkpoint = checkpoint
    if (this.#options.isVolatile) this.#host.send('meta', { kind: 'checkpointAck', checkpoint })
    this.#commitNow(() => {
      if (!this.#options.isVolatile) this.#host.send('meta', { kind: 'checkpointAck', checkpoint })
    })
  }

  /** Of a direct stream, commits what has come. */
  commitOpen(): void {
    if (this.#log.openEntries > 0) this.#commitNow(() => {})
  }

  /** Commits what a direct stream has sent, and discards what checkpoints did not. */
  lost(): void {
    this.#isLost = true
    this.#held = undefined
    if (this.#log.openEntries === 0) return
    if (this.#mode === 'checkpoints') this.#log.discard()
    else this.#log.commit(this.#checkpoint, error => error && this.#options.failed(error))
  }

  #append(sequence: number, entry: EpochEntry): void {
    this.#sequence = sequence
    this.#log.append(entry, error => error && this.#options.failed(error))
    if (this.#mode === 'direct') this.#commit()
  }

  /** One commit at a time: what comes meanwhile is the next one's. */
  #commit(): void {
    if (this.#isCommitting || this.#log.openEntries === 0) return
    this.#commitNow(() => {})
  }

  #commitNow(then: () => void): void {
    const sequence = this.#sequence
    const checkpoint = this.#checkpoint
    this.#isCommitting = true
    this.#log.commit(checkpoint, error => {
      this.#isCommitting = false
      if (error !== undefined) return this.#options.failed(error)
      this.#options.committed(checkpoint)
      if (this.#isLost) return
      this.#host.send('meta', { kind: 'barrierAck', sequence })
      then()
      if (this.#mode === 'direct') this.#commit()
    })
  }
}
