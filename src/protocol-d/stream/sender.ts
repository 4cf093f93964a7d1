import type { BlockSet } from '../../keep/block-set.js'
import { blockRange } from '../../keep/geometry.js'
import type { Geometry } from '../geometry.js'
import type { StreamMode } from '../keep/meta-record.js'
import type { NodeHost } from '../node-host.js'

interface Sent {
  sequence: number
  first: number
  end: number
}

/**
 * What a node sends of its writes over one connection, and what the peer has acknowledged of it. A block differs until the peer has, durably,
 * the last write to it.
 */
export class Sender {
  readonly #host: Pick<NodeHost, 'send'>
  readonly #geometry: Geometry
  readonly #differing: BlockSet
  #sequence = 0
  #acknowledged = 0
  /** Where the copying ended. */
  #copied = 0
  #sent: Sent[] = []
  #firstSent = 0
  /** The last write to each block that the peer has not acknowledged. */
  readonly #last = new Map<number, number>()
  /** Blocks whose own copy failed: no acknowledgement makes them equal. */
  readonly #unreadable: ReadonlySet<number>
  /** Blocks that the peer lacks, whatever part of them was written. */
  toCopy: BlockSet | undefined
  #waiting: { sequence: number; done: () => void }[] = []

  constructor(host: Pick<NodeHost, 'send'>, geometry: Geometry, differing: BlockSet, unreadable: ReadonlySet<number>) {
    this.#unreadable = unreadable
    this.#host = host
    this.#geometry = geometry
    this.#differing = differing
  }

  /** The last thing that was sent. */
  get sequence(): number {
    return this.#sequence
  }

  /** How many writes the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.#sent.length - this.#firstSent
  }

  write(offset: number, data: Uint8Array): void {
    this.#host.send('data', { kind: 'write', sequence: this.#next(offset, data.length), offset, data })
  }

  zero(offset: number, length: number): void {
    this.#host.send('data', { kind: 'zero', sequence: this.#next(offset, length), offset, length })
  }

  /** Sends what a block has, of which the peer does not know. */
  copy(offset: number, data: Uint8Array): void {
    this.#host.send('data', { kind: 'copy', sequence: this.#next(offset, data.length), offset, data })
  }

  barrier(checkpoint: number, mode: StreamMode): void {
    this.#host.send('data', { kind: 'barrier', sequence: ++this.#sequence, checkpoint, mode })
  }

  /** All that the peer lacked was sent. */
  copied(generation: string, checkpoint: number): void {
    this.#copied = ++this.#sequence
    this.#host.send('data', { kind: 'copied', sequence: this.#copied, generation, checkpoint })
  }

  /** The peer has all that it lacked, durably. */
  copyIsThrough(): void {
    this.toCopy = undefined
    this.acknowledge(this.#copied)
  }

  /** The peer has all up to here, durably. @returns false where it cannot */
  acknowledge(sequence: number): boolean {
    if (sequence > this.#sequence) return false
    this.#acknowledged = Math.max(this.#acknowledged, sequence)
    for (; this.#firstSent < this.#sent.length; this.#firstSent++) {
      const { sequence: its, first, end } = this.#sent[this.#firstSent]!
      if (its > sequence) break
      for (let block = first; block < end; block++) {
        if (this.#last.get(block) !== its) continue
        this.#last.delete(block)
        if (!this.#unreadable.has(block) && !this.toCopy?.has(block)) this.#differing.delete(block)
      }
    }
    if (this.#firstSent * 2 > this.#sent.length) {
      this.#sent = this.#sent.slice(this.#firstSent)
      this.#firstSent = 0
    }
    const due = this.#waiting.filter(one => one.sequence <= this.#acknowledged)
    if (due.length > 0) this.#waiting = this.#waiting.filter(one => one.sequence > this.#acknowledged)
    for (const { done } of due) done()
    return true
  }

  /** Calls back when the peer has all that was sent until now, or the connection is lost. */
  whenAcknowledged(done: () => void): void {
    if (this.#acknowledged >= this.#sequence) done()
    else this.#waiting.push({ sequence: this.#sequence, done })
  }

  /** The connection is lost: what was not acknowledged differs. */
  lost(): void {
    for (const { done } of this.#waiting.splice(0)) done()
  }

  #next(offset: number, length: number): number {
    const [first, end] = blockRange(this.#geometry, offset, length)
    const sequence = ++this.#sequence
    for (let block = first; block < end; block++) this.#last.set(block, sequence)
    this.#sent.push({ sequence, first, end })
    return sequence
  }
}
