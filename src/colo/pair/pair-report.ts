import { EventQueue } from '../../link/event-queue.js'
import type { CopyProgress } from '../copy/disk-copy.js'
import type { SyncPlan } from '../copy/sync-plan.js'
import type { DiskState, KnownBesides } from '../disk-state.js'
import { isFilling } from '../overlay-fill.js'
import type { PairStatus } from '../pair-status.js'
import type { PairEvent } from './pair-event.js'

type Copy = NonNullable<KnownBesides['copy']>

/** What a pair's user is told: events, and the last state of each disk. */
export class PairReport {
  readonly states = new Map<string, DiskState>()
  /** How far copies are, by disk. */
  readonly copies = new Map<string, Copy>()
  readonly #onEvent: ((event: PairEvent) => void) | undefined
  readonly #queues = new Set<EventQueue<PairEvent>>()
  readonly #filling = new Set<string>()

  constructor(onEvent: ((event: PairEvent) => void) | undefined) {
    this.#onEvent = onEvent
  }

  events(): EventQueue<PairEvent> {
    const queue: EventQueue<PairEvent> = new EventQueue({
      overflow: 'fail',
      ended: () => {
        this.#queues.delete(queue)
      },
    })
    this.#queues.add(queue)
    return queue
  }

  tell(event: PairEvent): void {
    this.#onEvent?.(event)
    for (const queue of this.#queues) queue.push(event)
  }

  setState(disk: string, state: DiskState): void {
    const before = this.states.get(disk)
    this.states.set(disk, state)
    if (before?.kind !== state.kind || before.why !== state.why) this.tell({ type: 'state', disk, state })
  }

  /** What a copy that begins now calls. */
  reporters(): { onPlan: (disk: string, plan: SyncPlan) => void; onProgress: CopyProgress } {
    const begun = performance.now()
    const whys = new Map<string, string>()
    return {
      onPlan: (disk, plan) => {
        whys.set(disk, plan.why)
        this.tell({ type: 'plan', disk, plan })
      },
      onProgress: (disk, current, total) => {
        const spent = (performance.now() - begun) / 1000
        const secondsLeft = current > 0 ? Math.round((spent / current) * (total - current)) : undefined
        const copy = { why: whys.get(disk) ?? '', current, total, secondsLeft }
        this.copies.set(disk, copy)
        this.tell({ type: 'progress', disk, current, total, secondsLeft })
        this.setState(disk, { kind: 'syncing', ...copy })
      },
    }
  }

  /** Tells once of each overlay whose file system fills up. */
  tellFilling({ disks }: PairStatus): void {
    for (const { disk, overlays } of disks)
      for (const fill of overlays) {
        const key = `${disk} ${fill.overlay}`
        if (!isFilling(fill)) this.#filling.delete(key)
        else if (!this.#filling.has(key)) {
          this.#filling.add(key)
          this.tell({ type: 'filling', disk, fill })
        }
      }
  }

  /** No more events. */
  end(): void {
    for (const queue of this.#queues) queue.end()
  }
}
