import { setTimeout as delay } from 'node:timers/promises'
import { EventQueue } from '../link/event-queue.js'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { QmpError } from '../qmp/qmp-error.js'
import { ColoError } from './colo-error.js'
import type { CopyProgress } from './disk-copy.js'
import type { DiskState, KnownBesides, LastCheckpoint, Seen } from './disk-state.js'
import { type HeartbeatLimits, usualHeartbeat } from './heartbeat.js'
import { epochOf } from './node-names.js'
import { isFilling } from './overlay-fill.js'
import type { PairEvent } from './pair-event.js'
import type { PairOptions } from './pair-options.js'
import { type PairStatus, pairStatus } from './pair-status.js'
import { cutReplicas, detachReplicas } from './primary.js'
import { probeLink } from './probe-link.js'
import { commandTimeout, type Protection, protect } from './protect.js'
import { type BadChild, ReplicaHealth } from './replica-health.js'
import { closeDoor } from './secondary-exports.js'
import { type Side, writeRecord } from './side.js'
import type { SyncPlan } from './sync-plan.js'
import { type Checkpoint, takeCheckpoint } from './take-checkpoint.js'

/**
 * Protected disks, and what is known of them. They are watched: a secondary that falls silent is cut off, so that the primary's guest
 * goes on. Whoever has it disposes it; the disks stay as they are then, and another process can go on with them.
 */
export class ColoPair implements AsyncDisposable {
  readonly #options: PairOptions
  readonly #heartbeat: HeartbeatLimits
  readonly #health: ReplicaHealth
  readonly #over = new AbortController()
  readonly #queues = new Set<EventQueue<PairEvent>>()
  readonly #states = new Map<string, DiskState>()
  readonly #degraded = new Map<string, string>()
  readonly #copies = new Map<string, NonNullable<KnownBesides['copy']>>()
  readonly #filling = new Set<string>()
  #images: Protection['images'] = { primary: [], secondary: [] }
  #checkpoint: LastCheckpoint | undefined
  #checkpoints = 0
  /** Whether both sides have been protected by this process, and nothing has failed since. */
  #isAttached = false
  #watching: Promise<void> = Promise.resolve()
  #busy: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(options: PairOptions) {
    this.#options = options
    this.#heartbeat = { ...usualHeartbeat, ...options.heartbeat }
    // from before the replicas are there, so that nothing is missed
    this.#health = new ReplicaHealth(options.primary.qmp)
    this.#health.onBad = bad => this.#onBad(bad)
  }

  get disks(): readonly string[] {
    return this.#options.disks
  }

  get epoch(): number {
    return this.#options.epoch
  }

  /** What was last known of each disk. */
  get states(): ReadonlyMap<string, DiskState> {
    return this.#states
  }

  /** What happens from now on. */
  events(): AsyncIterableIterator<PairEvent, undefined, undefined> & Disposable {
    const queue: EventQueue<PairEvent> = new EventQueue({
      overflow: 'fail',
      ended: () => {
        this.#queues.delete(queue)
      },
    })
    this.#queues.add(queue)
    return queue
  }

  /** Makes both sides equal and sends writes to both; then watches them. @internal */
  async protect(): Promise<void> {
    const { signal } = this.#options
    await this.#once(async () => {
      this.#health.clear()
      this.#degraded.clear()
      try {
        const { onPlan, onProgress } = this.#reporters()
        const { host, port, listen = { host, port }, tlsCreds, ...rest } = this.#options
        const { images } = await protect({
          ...rest,
          address: { host, port, tlsCreds: tlsCreds?.primary },
          listen: { ...listen, tlsCreds: tlsCreds?.secondary },
          heartbeat: this.#heartbeat,
          readExtents: rest.readExtents ?? refuseToRead,
          onPlan,
          onProgress,
        })
        this.#images = images
        this.#isAttached = true
      } finally {
        this.#copies.clear()
      }
    })
    signal?.throwIfAborted()
    await this.status()
    this.#watching = this.#watch()
  }

  /**
   * Takes a checkpoint of all disks. Where it fails, the primary goes on alone.
   *
   * @throws ColoError degraded; QmpError
   */
  checkpoint(limits: Limits = {}): Promise<Checkpoint> {
    return this.#once(async () => {
      const { primary, secondary, disks, epoch, driver, guest, timeout = commandTimeout } = this.#options
      if (!this.#isAttached) throw this.#notAttached()
      try {
        const sides = {
          primary: { ...primary, images: this.#images.primary, guest },
          secondary: { ...secondary, images: this.#images.secondary },
        }
        const health = this.#health
        const done = await takeCheckpoint({ ...sides, disks, epoch, driver, health, timeout, ...limits })
        this.#checkpoint = { number: ++this.#checkpoints, at: new Date() }
        this.#tell({ type: 'checkpoint', checkpoint: this.#checkpoint, pause: done.pause })
        return done
      } catch (error) {
        await this.#goOnAlone(`a checkpoint failed: ${(error as Error).message}`)
        throw error
      }
    })
  }

  /** Looks at both sides. */
  async status(limits: Limits = {}): Promise<PairStatus> {
    const { primary, secondary, disks, freeSpace, timeout = commandTimeout } = this.#options
    const known = (disk: string): KnownBesides => ({
      degraded: this.#degraded.get(disk),
      checkpoint: this.#checkpoint,
      copy: this.#copies.get(disk),
    })
    const status = await pairStatus({ primary, secondary, disks, freeSpace, known, timeout, ...limits })
    for (const { disk, state } of status.disks) this.#setState(disk, state)
    return status
  }

  /** Protects the disks again after something failed, as `protectPair` did. The epoch stays: nobody took over. */
  async reprotect(): Promise<void> {
    await this.#once(() => this.#goOnAlone('the disks are to be protected again'))
    await this.protect()
  }

  /**
   * Protects the disks again and again whenever something failed, and takes checkpoints in between. Each failure doubles the time
   * until the next try.
   *
   * @throws what does not go away by itself: ColoError old-epoch, split-brain, …
   */
  async keep({ every, signal }: { every: number; signal?: AbortSignal | undefined }): Promise<void> {
    let after = firstRetry
    for (let next = performance.now(); !signal?.aborted && !this.#over.signal.aborted; ) {
      try {
        if (!this.#isAttached) await this.protect()
        await this.checkpoint()
        after = firstRetry
        next = Math.max(next + every, performance.now())
        await pause(next - performance.now(), signal)
      } catch (error) {
        if (signal?.aborted) return
        if (!isPassing(error)) throw error
        this.#tell({ type: 'retry', why: (error as Error).message, after })
        await pause(after, signal)
        after = Math.min(after * 2, longestRetry)
      }
    }
  }

  /** Ends the protection: the primary goes on alone, and the secondary's records say so. */
  async stop(): Promise<void> {
    const why = 'the protection was ended'
    try {
      await this.#once(async () => {
        await this.#endReplication(why)
        this.#isAttached = false
        for (const disk of this.disks) this.#degraded.set(disk, why)
        await this.status()
      })
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  /** Ends watching. The disks stay as they are: a secondary that falls silent then holds up the primary's guest. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    this.#health.onBad = undefined
    this.#health[Symbol.dispose]()
    await this.#watching
    for (const queue of this.#queues) queue.end()
  }

  /** One thing at a time. */
  #once<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#busy.then(work, work)
    this.#busy = done.catch(() => {})
    return done
  }

  #notAttached(): ColoError {
    const [why] = this.#degraded.values()
    return new ColoError('degraded', `the disks are not protected${why === undefined ? '' : `: ${why}`}`)
  }

  #tell(event: PairEvent): void {
    this.#options.onEvent?.(event)
    for (const queue of this.#queues) queue.push(event)
  }

  #setState(disk: string, state: DiskState): void {
    const before = this.#states.get(disk)
    this.#states.set(disk, state)
    if (before?.kind !== state.kind || before.why !== state.why) this.#tell({ type: 'state', disk, state })
  }

  #reporters(): { onPlan: (disk: string, plan: SyncPlan) => void; onProgress: CopyProgress } {
    const begun = performance.now()
    const whys = new Map<string, string>()
    return {
      onPlan: (disk, plan) => {
        whys.set(disk, plan.why)
        this.#tell({ type: 'plan', disk, plan })
      },
      onProgress: (disk, current, total) => {
        const spent = (performance.now() - begun) / 1000
        const secondsLeft = current > 0 ? Math.round((spent / current) * (total - current)) : undefined
        const copy = { why: whys.get(disk) ?? '', current, total, secondsLeft }
        this.#copies.set(disk, copy)
        this.#tell({ type: 'progress', disk, current, total, secondsLeft })
        this.#setState(disk, { kind: 'syncing', ...copy })
      },
    }
  }

  /** A child of a quorum failed: the guest was told that all is well. */
  #onBad({ nodeName, operation, error }: BadChild): void {
    const what = `${printable(operation)} of ${printable(nodeName)} failed (${printable(error)})`
    if (this.#images.primary.includes(nodeName)) {
      // the secondary alone has what was acknowledged: it is never cut off for this
      const disk = this.#options.disks[this.#images.primary.indexOf(nodeName)]!
      const why = `the primary's own disk fails: a ${what}; the secondary alone has it: take a checkpoint and fail over`
      this.#degraded.set(disk, why)
      this.#setState(disk, { kind: 'degraded', why })
    } else if (epochOf(nodeName) !== undefined && this.#isAttached) {
      void this.#once(() => this.#goOnAlone(`the replica missed something: a ${what}`)).catch(() => {})
    }
  }

  /** Cuts the secondary off after a failure, and says so on both sides as far as they can be reached. */
  async #goOnAlone(why: string): Promise<void> {
    const { primary, disks, epoch, timeout = commandTimeout } = this.#options
    const wasAttached = this.#isAttached
    this.#isAttached = false
    for (const disk of disks) if (!this.#degraded.has(disk)) this.#degraded.set(disk, why)
    if (!wasAttached) return
    // now: to cut a secondary off, and to look, may take its time
    for (const disk of disks) this.#setState(disk, { kind: 'degraded', why: this.#degraded.get(disk)! })
    await cutReplicas(primary.urgent ?? primary.qmp, { disks, epoch }, { timeout }).catch(() => {})
    await this.#endReplication(why).catch(() => {})
    await this.status({ timeout })
  }

  /**
   * Records that the primary goes on alone, and lets it. Nothing is said of a primary that cannot be seen: it may be dead, and the
   * secondary is what is left.
   */
  async #endReplication(why: string): Promise<void> {
    const { primary, secondary, disks, epoch, timeout = commandTimeout } = this.#options
    const { primary: here, secondary: there } = await pairStatus({ primary, secondary, disks, timeout })
    if (here.sight === undefined) throw here.error
    await this.#recordAll(secondary, there, 'outdated', why)
    await this.#recordAll(primary, here, 'alone', why)
    await detachReplicas(primary.qmp, { disks, epoch, urgent: primary.urgent, timeout })
    if (there.sight?.listening === epoch) await closeDoor(secondary.qmp, () => ({ timeout }))
  }

  async #recordAll(side: Side, { sight }: Seen, state: 'alone' | 'outdated', why: string): Promise<void> {
    const { epoch } = this.#options
    for (const { image, record } of sight?.disks ?? [])
      if (image !== undefined && record !== undefined && record.epoch <= epoch && mayFollow[state].has(record.state))
        await writeRecord(side, image.file, { ...record, epoch, state, why })
  }

  /** Beats until the pair is disposed, or goes on alone. */
  async #watch(): Promise<void> {
    const { primary, disks, epoch } = this.#options
    const { every, timeout } = this.#heartbeat
    const { signal } = this.#over
    while (!signal.aborted && this.#isAttached) {
      await pause(every, signal)
      if (signal.aborted || !this.#isAttached) return
      const status = await this.status({ timeout }).catch(() => undefined)
      if (signal.aborted || !this.#isAttached || status === undefined) continue
      this.#tellFilling(status)
      const failed = this.#failureIn(status)
      if (failed !== undefined) {
        await this.#once(() => this.#goOnAlone(failed))
        return
      }
      const dead = await probeLink(primary, { disks, epoch, timeout })
      if (dead === undefined || signal.aborted) continue
      await this.#once(() => this.#goOnAlone(`the link to the secondary carries nothing: ${dead.message}`))
      return
    }
  }

  /** What ends the protection; a primary's own failing disk does not. */
  #failureIn({ disks, primary, secondary }: PairStatus): string | undefined {
    // its monitor may wait for the secondary: cutting helps then, and does no harm to one that is dead
    if (primary.error !== undefined) return `the primary does not answer: ${primary.error.message}`
    if (secondary.error !== undefined) return `the secondary fell silent: ${secondary.error.message}`
    return disks.find(({ disk, state }) => state.kind !== 'protected' && !this.#degraded.has(disk))?.state.why
  }

  #tellFilling({ disks }: PairStatus): void {
    for (const { disk, overlays } of disks)
      for (const fill of overlays) {
        const key = `${disk} ${fill.overlay}`
        if (!isFilling(fill)) this.#filling.delete(key)
        else if (!this.#filling.has(key)) {
          this.#filling.add(key)
          this.#tell({ type: 'filling', disk, fill })
        }
      }
  }
}

const firstRetry = 500
const longestRetry = 60_000

/** A record says less than before only of its own side's role. */
const mayFollow = {
  alone: new Set<string>(['alone', 'replicated']),
  outdated: new Set<string>(['replicating', 'outdated']),
}

/** What may go away by itself: a connection, a job, a secondary that is not there yet. */
const isPassing = (error: unknown): boolean =>
  error instanceof QmpError || (error instanceof ColoError && ['degraded', 'not-proved', 'record'].includes(error.code))

const refuseToRead = (): Promise<never> => Promise.reject(new Error('there is nothing that reads dirty bitmaps here'))

const pause = (time: number, signal: AbortSignal | undefined): Promise<void> =>
  delay(Math.max(0, time), undefined, { signal }).catch(() => {})
