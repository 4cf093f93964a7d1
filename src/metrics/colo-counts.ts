import type { DiskState } from '../colo/disk-state.js'
import type { PairEvent } from '../colo/pair/pair-event.js'
import { counter, type Family, gauge, histogram, stateSamples } from './family.js'
import { Histogram, usualBounds } from './histogram.js'

const states = [
  ...(['protected', 'syncing', 'degraded', 'unprotected', 'outdated'] as const),
  ...(['failing-over', 'failed-over', 'unknown', 'inconsistent', 'fenced'] as const),
] as const satisfies readonly DiskState['kind'][]

/** What is kept of a COLO pair for its metrics: hears the pair's events. */
export class ColoCounts {
  readonly #epoch: number
  readonly #every: number
  readonly #states = new Map<string, DiskState>()
  readonly #copies = new Map<string, string>()
  readonly #pauses = new Histogram(usualBounds)
  #checkpointAt: number | undefined
  #yanks = 0
  #retries = 0

  /** @param every between two checkpoints, in milliseconds */
  constructor({ epoch, every }: { epoch: number; every: number }) {
    this.#epoch = epoch
    this.#every = every
  }

  event(event: PairEvent): void {
    switch (event.type) {
      case 'plan':
        this.#copies.set(event.disk, event.plan.kind)
        break
      case 'state':
        this.#states.set(event.disk, event.state)
        break
      case 'checkpoint':
        this.#checkpointAt = event.checkpoint.at.getTime()
        this.#pauses.observe(event.pause / 1000)
        break
      case 'progress': {
        // a state is told when its reason changes, a copy's progress always
        const { disk, current, total, secondsLeft } = event
        this.#states.set(disk, { kind: 'syncing', why: '', current, total, secondsLeft })
        break
      }
      case 'cut':
        this.#yanks++
        break
      case 'retry':
        this.#retries++
        break
      default:
    }
  }

  families(): Family[] {
    const disks = [...this.#states]
    const syncing = disks.flatMap(([disk, state]) =>
      state.kind === 'syncing' ? [{ disk, reason: this.#copies.get(disk) ?? 'full', state }] : [],
    )
    return [
      gauge('xenlight_colo_epoch', 'The number of this protection.', [[{}, this.#epoch]]),
      gauge(
        'xenlight_colo_disk_state',
        'The state that a disk is in: 1 for that one, 0 for all others.',
        disks.flatMap(([disk, { kind }]) => stateSamples({ disk }, states, kind)),
      ),
      gauge(
        'xenlight_colo_resync_remaining_bytes',
        'What is left to be copied, and what has to be: all, or what was changed.',
        syncing.map(({ disk, reason, state }) => [{ disk, reason }, Math.max(0, state.total - state.current)]),
      ),
      gauge(
        'xenlight_colo_resync_total_bytes',
        'How much there was to be copied.',
        syncing.map(({ disk, reason, state }) => [{ disk, reason }, state.total]),
      ),
      gauge('xenlight_colo_checkpoint_interval_seconds', 'The time between two checkpoints that is wanted.', [
        [{}, this.#every / 1000],
      ]),
      gauge('xenlight_colo_checkpoint_timestamp_seconds', 'When the last checkpoint was taken.', [
        [{}, this.#checkpointAt === undefined ? undefined : this.#checkpointAt / 1000],
      ]),
      histogram(
        'xenlight_colo_checkpoint_pause_seconds',
        'How long the guest stood still for a checkpoint; 0 where it did not run.',
        [[{}, this.#pauses]],
      ),
      counter('xenlight_colo_yanks_total', 'How often the secondary was cut off, so that the guest goes on.', [
        [{}, this.#yanks],
      ]),
      counter('xenlight_colo_retries_total', 'How often protecting failed, and was tried again.', [
        [{}, this.#retries],
      ]),
    ]
  }
}
