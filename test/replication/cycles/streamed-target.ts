import { MemoryBackend } from 'xenlight/nbd'
import type { BlockBackend } from '#xenlight/nbd/block-backend.js'
import type { CycleStart } from '#xenlight/replication/cycles/cycle-target.js'
import type { LiveTarget } from '#xenlight/replication/cycles/live-target.js'

export interface StreamFaults {
  /** Called before each write; it may throw, or wait. */
  onWrite?: ((from: 'live' | 'backfill', volume: string) => void | Promise<void>) | undefined
  /** Called before the hub has what came. */
  onDurable?: (() => void | Promise<void>) | undefined
}

interface Piece {
  from: 'live' | 'backfill'
  volume: string
  offset: number
  length: number
  apply: () => void
}

/** An agent with its hub, in memory: what came is in the replica when it is durable, and else half of it may be lost. */
export class StreamedTarget implements LiveTarget {
  readonly replicas: ReadonlyMap<string, MemoryBackend>
  faults: StreamFaults = {}
  readonly calls: string[] = []
  starts: CycleStart[] = []
  /** All that was written, in order. */
  readonly log: Omit<Piece, 'apply'>[] = []
  flushes = 0
  #pending: Piece[] = []

  constructor(volumes: readonly string[], size: number) {
    this.replicas = new Map(volumes.map(volume => [volume, new MemoryBackend(size)]))
  }

  unsettled(_: string, start: CycleStart): void {
    this.calls.push('unsettled')
    this.starts.push(start)
  }

  live(volume: string): BlockBackend {
    return this.#backend('live', volume)
  }

  backfill(volume: string): BlockBackend {
    return this.#backend('backfill', volume)
  }

  async settled(): Promise<void> {
    await this.durable()
    this.calls.push('settled')
  }

  async durable(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    try {
      await this.faults.onDurable?.()
    } catch (error) {
      this.#pending = [...pending, ...this.#pending]
      throw error
    }
    for (const { apply } of pending) apply()
  }

  lost(reason: string): void {
    this.calls.push(`lost ${reason}`)
    for (const { apply } of this.#pending.slice(0, this.#pending.length / 2)) apply()
    this.#pending = []
  }

  contents(volume: string): Buffer {
    const replica = this.replicas.get(volume)!
    return Buffer.from(replica.read(0, replica.size))
  }

  #backend(from: Piece['from'], volume: string): BlockBackend {
    const replica = this.replicas.get(volume)!
    const take = (offset: number, length: number, apply: () => void) => {
      const piece = { from, volume, offset, length }
      const waits = this.faults.onWrite?.(from, volume)
      // in the order of the calls
      this.log.push(piece)
      this.#pending.push({ ...piece, apply })
      return waits
    }
    return {
      size: replica.size,
      read: () => {
        throw new Error('nothing is read from here')
      },
      write: (offset, data) => {
        const copy = Uint8Array.from(data)
        return take(offset, copy.length, () => replica.write(offset, copy))
      },
      writeZeroes: (offset, length) => take(offset, length, () => replica.writeZeroes(offset, length)),
      trim: () => {},
      flush: () => {
        this.flushes++
      },
    }
  }
}
