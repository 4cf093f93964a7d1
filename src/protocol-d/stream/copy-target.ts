import type { BlockSet } from '../../keep/block-set.js'
import type { Geometry } from '../geometry.js'
import type { EpochEntry } from '../keep/epoch-log.js'
import type { NodeHost } from '../node-host.js'

type Done = (error?: Error) => void

/**
 * Takes copies, and what the guest writes meanwhile. There is nothing here that could be kept consistent, so all goes to the disk at once;
 * what is durable is acknowledged.
 */
export class CopyTarget {
  readonly #host: Pick<NodeHost, 'file' | 'send'>
  readonly #geometry: Geometry
  readonly #differing: BlockSet
  readonly #failed: (error: Error) => void
  #sequence = 0
  #durable = 0
  #isSyncing = false
  #isLost = false
  #copied: { first: number; end: number }[] = []
  #whenDurable: Done[] = []

  constructor(
    host: Pick<NodeHost, 'file' | 'send'>,
    geometry: Geometry,
    differing: BlockSet,
    failed: (error: Error) => void,
  ) {
    this.#host = host
    this.#geometry = geometry
    this.#differing = differing
    this.#failed = failed
  }

  take(sequence: number, entry: EpochEntry): void {
    this.#sequence = sequence
    const { kind, offset } = entry
    const done: Done = error => error && this.#failed(error)
    if (kind === 'zero') this.#host.file({ kind, file: 'data', offset, length: entry.length }, done)
    else this.#host.file({ kind, file: 'data', offset, data: entry.data }, done)
    this.#sync()
  }

  copy(sequence: number, offset: number, data: Uint8Array): void {
    const { blockSize } = this.#geometry
    this.#copied.push({ first: offset / blockSize, end: Math.ceil((offset + data.length) / blockSize) })
    this.take(sequence, { kind: 'write', offset, data })
  }

  /** Calls back when all that came is durable. */
  finish(done: Done): void {
    if (this.#durable === this.#sequence) done()
    else this.#whenDurable.push(done)
  }

  lost(): void {
    this.#isLost = true
  }

  #sync(): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    const sequence = this.#sequence
    const copied = this.#copied
    this.#copied = []
    this.#host.file({ kind: 'sync', file: 'data' }, error => {
      this.#isSyncing = false
      if (error !== undefined) return this.#failed(error)
      this.#durable = sequence
      for (const { first, end } of copied) for (let block = first; block < end; block++) this.#differing.delete(block)
      if (!this.#isLost) this.#host.send('meta', { kind: 'barrierAck', sequence })
      if (sequence !== this.#sequence) this.#sync()
      else for (const done of this.#whenDurable.splice(0)) done()
    })
  }
}
