import { MemoryBackend } from 'xenlight/nbd'
import type { BlockBackend } from '#xenlight/nbd/block-backend.js'
import type { CycleStart, CycleTarget } from '#xenlight/replication/cycles/cycle-target.js'

/** Where a target goes wrong. */
export interface TargetFaults {
  /** Called before each write; it may throw, or wait. */
  onWrite?: ((volume: string, count: number) => void | Promise<void>) | undefined
  /** What `complete` does before the hub has it; it may throw, or wait. */
  onComplete?: (() => void | Promise<void>) | undefined
  /** Whether a cycle that failed has come to the hub in part: it must be covered by the next one. */
  leavesHalf?: boolean
}

/** What waits until it is released. */
export function hold(): { waits: Promise<void>; release: () => void } {
  let release = () => {}
  const waits = new Promise<void>(resolve => {
    release = resolve
  })
  return { waits, release }
}

/** An agent with its hub, in memory: a cycle is staged, and in the replica when it is complete. */
export class StagedTarget implements CycleTarget {
  readonly replicas: ReadonlyMap<string, MemoryBackend>
  faults: TargetFaults = {}
  /** What was called, in order. */
  readonly calls: string[] = []
  starts: CycleStart[] = []
  times: number[] = []
  /** Whether the replicas are one moment of the disks. */
  isSettled = false
  #staged: (() => void)[] = []
  #count = 0

  constructor(volumes: readonly string[], size: number) {
    this.replicas = new Map(volumes.map(volume => [volume, new MemoryBackend(size)]))
  }

  begin(reason: string, start: CycleStart): void {
    this.calls.push(`begin ${start.cycle}`)
    this.starts.push(start)
    this.#staged = []
    this.#count = 0
    if (reason === '') throw new Error('a cycle without a reason')
  }

  backend(volume: string): BlockBackend {
    const replica = this.replicas.get(volume)!
    const stage = async (work: () => void) => {
      await this.faults.onWrite?.(volume, ++this.#count)
      this.#staged.push(work)
    }
    return {
      size: replica.size,
      read: () => {
        throw new Error('a cycle reads nothing')
      },
      write: async (offset, data) => {
        const copy = Uint8Array.from(data)
        await stage(() => replica.write(offset, copy))
      },
      writeZeroes: (offset, length) => stage(() => replica.writeZeroes(offset, length)),
      trim: () => {},
      flush: () => {},
    }
  }

  async complete(time: number): Promise<void> {
    this.calls.push('complete')
    await this.faults.onComplete?.()
    for (const work of this.#staged) work()
    this.#staged = []
    this.times.push(time)
    this.isSettled = true
  }

  abort(reason: string): void {
    this.calls.push(`abort ${reason}`)
    if (!this.faults.leavesHalf) return
    for (const [index, work] of this.#staged.entries()) if (index % 2 === 0) work()
    if (this.#staged.length > 0) this.isSettled = false
  }

  contents(volume: string): Buffer {
    const replica = this.replicas.get(volume)!
    return Buffer.from(replica.read(0, replica.size))
  }
}
