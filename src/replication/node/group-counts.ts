import { Histogram, usualBounds } from '../../metrics/histogram.js'
import type { CycleEvent, CycleOutcome } from '../cycles/cycle-outcome.js'
import type { LiveEvent } from '../cycles/live-outcome.js'

/** What was counted of a group since its agent was started. */
export class GroupCounts {
  /** How old the oldest message was whenever the hub acknowledged something. */
  readonly forwarded = new Histogram(usualBounds)
  /** Whether it is protected by cycles. */
  readonly hasCycles: boolean
  readonly cycles: Record<CycleOutcome['kind'], number> = { settled: 0, failed: 0, blocked: 0, skipped: 0 }
  /** Of those that the hub has. */
  readonly cycleTimes = new Histogram(usualBounds)
  #yanks = 0

  constructor({ hasCycles }: { hasCycles: boolean }) {
    this.hasCycles = hasCycles
  }

  /** How often QEMU's connections were cut, so that its guest goes on. */
  get yanks(): number {
    return this.#yanks
  }

  event(event: CycleEvent | LiveEvent): void {
    if (event.type === 'cut') this.#yanks++
    if (event.type !== 'outcome') return
    const { outcome } = event
    this.cycles[outcome.kind]++
    if (outcome.kind === 'settled') this.cycleTimes.observe((outcome.took.copy + outcome.took.hub) / 1000)
  }
}
