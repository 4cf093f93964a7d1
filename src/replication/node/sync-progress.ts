import type { AgentClock } from '../agent/agent-clock.js'
import type { ResyncReason } from '../agent/resync-reason.js'
import type { CycleStart, WholeReason } from '../cycles/cycle-target.js'

const reasons: Readonly<Record<WholeReason, ResyncReason>> = {
  new: 'new-volume',
  unfinished: 'unfinished',
  'bitmap missing': 'bitmap-missing',
  'bitmap inconsistent': 'bitmap-inconsistent',
  'bitmap stopped': 'bitmap-stopped',
  'bitmap outdated': 'bitmap-outdated',
  distrusted: 'other-replica',
}

/** A copy that is under way: what is to come of each volume, and what came. */
interface Copy {
  startedAt: number
  volumes: Map<string, { reason: ResyncReason | undefined; due: number; come: number }>
}

export interface VolumeProgress {
  reason: ResyncReason
  bytes: number | undefined
  left: number | undefined
  seconds: number | undefined
}

/** How far the replica of a group is whose QEMU has the images. Uptimes are in milliseconds. */
export class SyncProgress {
  readonly #clock: AgentClock
  /** Whether the hub never had a moment of the group. */
  isFirst: boolean
  #isSettled = false
  #reason: ResyncReason
  #failure: string | undefined
  #moment: number | undefined
  #since: number | undefined
  #copy: Copy | undefined

  /** @param since since when the hub does not get what is written, in microseconds since 1970. Now by default */
  constructor(clock: AgentClock, { isFirst, since = clock.now() }: { isFirst: boolean; since?: number | undefined }) {
    this.#clock = clock
    this.isFirst = isFirst
    this.#reason = isFirst ? 'new-volume' : 'restart'
    this.#since = since
  }

  /** Whether the hub has a moment of the group, and all is done for the next one. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Why the last attempt failed; undefined where it did not, or another one is under way. */
  get failure(): string | undefined {
    return this.#failure
  }

  get isCopying(): boolean {
    return this.#copy !== undefined
  }

  /** The uptime of the newest moment that the hub is known to have. */
  get moment(): number | undefined {
    return this.#moment
  }

  /** Since when the hub does not get what is written, in microseconds since 1970. */
  get since(): number {
    return this.#since ?? this.#clock.now()
  }

  /** The hub does not get what is written. */
  interrupted(): void {
    this.#since ??= this.#clock.now()
  }

  /** The replica is no moment of the disks that may be gone on from: so that, with this reason, it has to be made equal. */
  unsettled(reason: ResyncReason, until?: number): void {
    if (this.#isSettled && until !== undefined) this.#moment = until
    this.#isSettled = false
    this.#failure = undefined
    this.#reason = reason
    this.interrupted()
  }

  began({ whole, due }: CycleStart): void {
    const why = new Map(whole.map(({ volume, reason }) => [volume, reasons[reason]]))
    this.#failure = undefined
    this.#copy = {
      startedAt: this.#clock.uptime(),
      volumes: new Map(due.map(({ volume, bytes }) => [volume, { reason: why.get(volume), due: bytes, come: 0 }])),
    }
    const [first] = whole
    // that takes its time
    if (first !== undefined) this.unsettled(this.#isSettled ? reasons[first.reason] : this.#reason)
  }

  came(volume: string, bytes: number): void {
    const one = this.#copy?.volumes.get(volume)
    if (one !== undefined) one.come += bytes
  }

  failed(why: string): void {
    this.#copy = undefined
    this.unsettled(this.#isSettled ? 'failed-copy' : this.#reason)
    this.#failure = why
  }

  /** @param moment the uptime that the replica is of */
  settled(moment: number): void {
    this.#copy = undefined
    this.#failure = undefined
    this.#isSettled = true
    this.isFirst = false
    this.#moment = moment
    this.#since = undefined
  }

  of(volume: string): VolumeProgress {
    const one = this.#copy?.volumes.get(volume)
    if (one === undefined) return { reason: this.#reason, bytes: undefined, left: undefined, seconds: undefined }
    const bytes = Math.max(one.due, one.come)
    const left = bytes - one.come
    const taken = (this.#clock.uptime() - this.#copy!.startedAt) / 1000
    const seconds = one.come === 0 ? undefined : (taken / one.come) * left
    return { reason: one.reason ?? this.#reason, bytes, left, seconds }
  }
}
