import type { AgentClock } from './agent-clock.js'
import { failureOf, type GroupStream } from './group-stream.js'
import type { ProtectedVolume } from './protected-volume.js'
import type { Resync } from './resync.js'
import type { ResyncReason } from './resync-reason.js'
import {
  type Failure,
  type GroupFacts,
  type RecoveryPoint,
  recoveryPoint,
  type VolumeState,
  volumeState,
} from './volume-state.js'

export interface VolumeStatus {
  name: string
  number: number
  /** In bytes; undefined where QEMU has the image, and was not seen yet. */
  size: number | undefined
  state: VolumeState
}

export interface GroupStatus {
  name: string
  epoch: number
  /** In bytes, of what the hub has not acknowledged. */
  queued: number
  recoveryPoint: RecoveryPoint
  volumes: readonly VolumeStatus[]
}

export interface ProgressOptions {
  name: string
  volumes: readonly ProtectedVolume[]
  stream: GroupStream
  resync: Resync
  clock: AgentClock
  /** For how long a hub may be silent, in milliseconds. 10 s by default. */
  heartbeat?: number | undefined
  /** How far a recovery may go back, in seconds. 10 by default. */
  target?: number | undefined
  /** Since when the hub does not get what is written, in microseconds since 1970: now by default. */
  since?: number | undefined
  /** Why the first stream begins with a resync. */
  reason: ResyncReason
  /** Whether the hub never had all of it. */
  isFirst: boolean
}

/** Whether a group is protected, by whose wish, and what is in the way. */
export interface Protection {
  isProtecting: boolean
  isPaused: boolean
  failure: Failure | undefined
}

/** How far the hub is with a group: what it has, since when it lacks something, and why. */
export class GroupProgress {
  readonly #options: ProgressOptions
  /** How far a recovery may go back, in seconds. */
  target: number
  #reason: ResyncReason
  #isFirst: boolean
  /** Until when the hub has all, by the clock's uptime, where it does not go on getting it. */
  #consistentUntil: number | undefined
  /** Since when the hub does not get what is written, in microseconds since 1970; undefined where it does. */
  #since: number | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
    this.target = options.target ?? 10
    this.#since = options.since ?? options.clock.now()
    this.#reason = options.reason
    this.#isFirst = options.isFirst
  }

  /** Why the next stream begins with a resync. */
  get reason(): ResyncReason {
    return this.#reason
  }

  /** Why the next stream begins with a resync, and whether it is the first. */
  expect(reason: ResyncReason, isFirst = this.#isFirst): void {
    this.#reason = reason
    this.#isFirst = isFirst
  }

  /** The hub is about to get nothing more. @param oldest when the oldest message was made that it may lack, by the clock's uptime */
  noteEnd(oldest = this.#options.stream.since): void {
    const { clock, resync } = this.#options
    if (resync.isSettled) this.#consistentUntil = oldest ?? clock.uptime()
    this.#since ??= clock.now()
  }

  /** What the hub had may be lost. */
  noteLoss(): void {
    this.#consistentUntil = undefined
  }

  /** The stream goes on. */
  noteReattached(): void {
    if (this.#options.resync.isSettled) this.#since = undefined
  }

  /** The replica was the disks, and the hub has that durably. */
  noteSettled(): void {
    this.#isFirst = false
    this.#since = undefined
    this.#consistentUntil = undefined
  }

  status(protection: Protection): GroupStatus {
    const { name, clock, stream, resync } = this.#options
    const { target } = this
    const facts = this.#facts(protection)
    const volumes = this.#options.volumes.map(({ name: volume, number, size, ledger, unacknowledged }) => {
      const differing = ledger.open + ledger.unacknowledged
      return { name: volume, number, size, state: volumeState(facts, { differing, unacknowledged }) }
    })
    const isGoingOn = resync.isSettled && protection.isProtecting && protection.failure === undefined
    const until = isGoingOn ? (stream.since ?? facts.uptime) : this.#consistentUntil
    return {
      name,
      epoch: stream.epoch,
      queued: stream.queued,
      recoveryPoint: recoveryPoint(target, until, clock.uptime()),
      volumes,
    }
  }

  #facts({ isProtecting, isPaused, failure }: Protection): GroupFacts {
    const { stream, resync, clock, heartbeat = 10_000 } = this.#options
    const { reason = this.#reason, startedAt, total, left } = resync
    const { standstill } = stream
    return {
      ...{ isProtecting, isPaused, failure: failure ?? failureOf(standstill) },
      isAttached: stream.isAttached,
      standstill: standstill?.message,
      now: clock.now(),
      uptime: clock.uptime(),
      heard: stream.heard,
      ...{ heartbeat, since: this.#since ?? clock.now(), isSettled: resync.isSettled, isFirst: this.#isFirst },
      resync: { reason, startedAt, total, left, failure: resync.failure?.message },
      oldest: stream.since,
    }
  }
}
