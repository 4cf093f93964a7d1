import { zeroesAtMost } from '../geometry.js'
import type { DataMessage } from '../stream/message.js'
import type { Receiver } from '../stream/receiver.js'
import type { Core } from './core.js'
import type { Link } from './link.js'

/** How many numbers a checkpoint may be ahead: none is known of those that were not acknowledged. */
const numbersAhead = 2 ** 32

type Write = Extract<DataMessage, { kind: 'write' | 'zero' | 'copy' }>
type Barrier = Extract<DataMessage, { kind: 'barrier' }>

/** What the peer writes. */
export class PeerWrites {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  take(link: Link, message: Write): void {
    const core = this.#core
    const { sequence, offset } = message
    const length = message.kind === 'zero' ? message.length : message.data.length
    if (offset + length > core.geometry.size) {
      core.protocolError('it writes behind the end of the disk')
      return
    }
    if (message.kind === 'zero' && length > zeroesAtMost) {
      core.protocolError('it writes more zeroes at once than a node does')
      return
    }
    if (link.target !== undefined) {
      if (message.kind === 'copy') link.target.copy(sequence, offset, message.data)
      else link.target.take(sequence, message)
      return
    }
    if (message.kind === 'copy' || !this.#isReceiving(link)) {
      this.#unexpected(message)
      return
    }
    link.receiver.take(sequence, message)
    if (link.receiver.isFull) link.receiver.whenRoom(link.hold())
  }

  takeBarrier(link: Link, message: Barrier): void {
    if (!this.#isReceiving(link)) {
      this.#unexpected(message)
      return
    }
    const { receiver } = link
    const { sequence, checkpoint, mode } = message
    const before = Math.max(this.#core.record.checkpoint, link.peer.checkpoint)
    if (checkpoint <= receiver.checkpoint || checkpoint > before + numbersAhead) {
      this.#core.protocolError(`it ends checkpoint ${checkpoint}, after ${before}`)
      return
    }
    const commit = () => receiver.barrier(sequence, checkpoint, mode)
    const isChange = this.#core.options.acknowledgeFromMemory && mode !== receiver.mode
    if (!isChange) commit()
    else if (mode === 'checkpoints') this.#beVolatile(link, commit)
    else this.#beDurable(link, commit)
  }

  /** A crash from now on loses what was acknowledged: known before the first of that. */
  #beVolatile(link: Link, commit: () => void): void {
    const resume = link.hold()
    this.#core.save({ isVolatile: true }, error => {
      if (error !== undefined || link !== this.#core.link) return
      commit()
      resume()
    })
  }

  /** What was acknowledged is durable. */
  #beDurable(link: Link, commit: () => void): void {
    const resume = link.hold()
    commit()
    this.#core.drain(error => {
      if (error === undefined) this.#core.save({ isVolatile: false }, failure => failure === undefined && resume())
    })
  }

  /** Whether this node takes the peer's writes, and makes none of its own. */
  #isReceiving(link: Link): link is Link & { receiver: Receiver } {
    return link.receiver !== undefined && !this.#core.isWriter && link.peer.role === 'primary'
  }

  #unexpected({ kind }: DataMessage): void {
    this.#core.protocolError(`it sends ${kind} at a time when it must not`)
  }
}
