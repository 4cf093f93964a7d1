import type { Limits } from '../../link/limits.js'
import { type BadChild, ReplicaHealth, reportWhy } from '../../qmp/replica-health.js'
import { checkLimited } from '../arguments/check-limits.js'
import { checkKeep } from '../arguments/check-pair-options.js'
import { ColoError } from '../colo-error.js'
import { commandTimeout } from '../command-timeout.js'
import type { DiskState, KnownBesides, LastCheckpoint } from '../disk-state.js'
import { failingWhy, recordFailing, refuseToCut } from '../failing-disk.js'
import { nbdNode, replicaNode } from '../graph/node-names.js'
import { type HeartbeatLimits, usualHeartbeat } from '../heartbeat.js'
import { type PairStatus, pairStatus } from '../pair-status.js'
import { cutReplicas, type ReplicaDriver, usualDriver } from '../primary.js'
import { endProtection } from '../protect/end-protection.js'
import { type ProtectedDisks, protect } from '../protect/protect.js'
import { type Checkpoint, takeCheckpoint } from '../take-checkpoint.js'
import { type KeepOptions, keepProtected } from './keep-protected.js'
import type { PairEvent } from './pair-event.js'
import type { PairOptions } from './pair-options.js'
import { PairReport } from './pair-report.js'
import { watchPair } from './watch-pair.js'

/**
 * Protected disks, and what is known of them. They are watched: a secondary that falls silent is cut off, so that the primary's guest
 * goes on. Whoever has it disposes it; the disks stay as they are then, and another process can go on with them.
 */
export class ColoPair implements AsyncDisposable {
  readonly #options: PairOptions
  readonly #heartbeat: HeartbeatLimits
  readonly #health: ReplicaHealth
  readonly #over = new AbortController()
  readonly #report: PairReport
  readonly #degraded = new Map<string, string>()
  /** Disks whose image on the primary fails: the secondary alone has what was acknowledged, and is never cut off for anything. */
  readonly #failing = new Map<string, string>()
  #driver: ReplicaDriver | undefined
  #images: ProtectedDisks['images'] = { primary: [], secondary: [] }
  /** The dirty bitmap of the last checkpoint. */
  #changes = ''
  #checkpoint: LastCheckpoint | undefined
  #checkpoints = 0
  /** Whether both sides have been protected by this process, and nothing has failed since. */
  #isAttached = false
  #watching: Promise<void> = Promise.resolve()
  #watches = 0
  #busy: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(options: PairOptions) {
    this.#options = options
    this.#report = new PairReport(options.onEvent)
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
    return this.#report.states
  }

  /** What happens from now on. */
  events(): AsyncIterableIterator<PairEvent, undefined, undefined> & Disposable {
    return this.#report.events()
  }

  /** Makes both sides equal and sends writes to both; then watches them. @internal */
  async protect(): Promise<void> {
    const { signal } = this.#options
    await this.#once(async () => {
      this.#degraded.clear()
      try {
        const { primary, driver, timeout = commandTimeout } = this.#options
        this.#driver = driver ?? (await usualDriver(primary.qmp, { signal, timeout }))
        const { onPlan, onProgress } = this.#report.reporters()
        const { host, port, listen = { host, port }, tlsCreds, ...rest } = this.#options
        const { images, changes, failing } = await protect({
          ...rest,
          driver: this.#driver,
          address: { host, port, tlsCreds: tlsCreds?.primary },
          listen: { ...listen, tlsCreds: tlsCreds?.secondary },
          health: this.#health,
          heartbeat: this.#heartbeat,
          readExtents: rest.readExtents ?? refuseToRead,
          onPlan,
          onProgress,
        })
        this.#images = images
        this.#changes = changes
        this.#isAttached = true
        for (const [disk, why] of failing) this.#setFailing(disk, why)
        // what was reported in between
        for (const node of [...this.#images.primary, ...this.disks.flatMap(disk => replicaNodes(this.epoch, disk))]) {
          const bad = this.#health.bad(node)
          if (bad !== undefined) this.#onBad(bad)
        }
      } finally {
        this.#report.copies.clear()
      }
    })
    signal?.throwIfAborted()
    await this.status()
    this.#watching = this.#watch(++this.#watches)
  }

  /**
   * Takes a checkpoint of all disks. Where it fails, the primary goes on alone.
   *
   * @throws ColoError degraded; QmpError
   */
  async checkpoint(limits: Limits = {}): Promise<Checkpoint> {
    checkLimited(limits)
    return this.#once(async () => {
      const { primary, secondary, disks, epoch, guest, timeout = commandTimeout } = this.#options
      const driver = this.#driver
      if (!this.#isAttached) throw this.#notAttached()
      try {
        const sides = {
          primary: { ...primary, images: this.#images.primary, guest },
          secondary: { ...secondary, images: this.#images.secondary },
        }
        const health = this.#health
        const done = await takeCheckpoint({
          ...sides,
          disks,
          epoch,
          changes: this.#changes,
          driver,
          isFailing: this.#failing.size > 0,
          health,
          timeout,
          ...limits,
        })
        this.#checkpoint = { number: ++this.#checkpoints, at: new Date() }
        this.#report.tell({ type: 'checkpoint', checkpoint: this.#checkpoint, pause: done.pause })
        return done
      } catch (error) {
        await this.#goOnAlone(`a checkpoint failed: ${(error as Error).message}`)
        throw error
      }
    })
  }

  /** Looks at both sides. */
  async status(limits: Limits = {}): Promise<PairStatus> {
    checkLimited(limits)
    const { primary, secondary, disks, freeSpace, timeout = commandTimeout } = this.#options
    const known = (disk: string): KnownBesides => ({
      degraded: this.#degraded.get(disk),
      checkpoint: this.#checkpoint,
      copy: this.#report.copies.get(disk),
    })
    const status = await pairStatus({ primary, secondary, disks, freeSpace, known, timeout, ...limits })
    for (const { disk, state } of status.disks) this.#report.setState(disk, state)
    return status
  }

  /** Protects the disks again after something failed, as `protectPair` did. The epoch stays: nobody took over. */
  async reprotect(): Promise<void> {
    await this.#once(() => {
      refuseToCut(this.#failing)
      return this.#goOnAlone('the disks are to be protected again')
    })
    await this.protect()
  }

  /**
   * Protects the disks again and again whenever something failed, and takes checkpoints in between. Each failure doubles the time
   * until the next try.
   *
   * @throws what does not go away by itself: ColoError old-epoch, split-brain, …
   */
  async keep(options: KeepOptions): Promise<void> {
    checkKeep(options)
    const { every, signal } = options
    const pair = {
      isProtected: () => this.#isAttached,
      protect: () => this.protect(),
      checkpoint: () => this.checkpoint(),
      onRetry: (why: string, after: number) => this.#report.tell({ type: 'retry', why, after }),
    }
    const signals = [this.#over.signal, ...(signal === undefined ? [] : [signal])]
    await keepProtected(pair, { every, signal: AbortSignal.any(signals) })
  }

  /** Ends the protection: the primary goes on alone, and the secondary's records say so. */
  async stop(): Promise<void> {
    const why = 'the protection was ended'
    try {
      await this.#once(async () => {
        refuseToCut(this.#failing)
        await this.#end(why)
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
    await this.#busy
    this.#report.end()
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

  /** A child of a quorum failed: the guest was told that all is well. */
  #onBad(bad: BadChild): void {
    const { nodeName } = bad
    const what = reportWhy(bad)
    // a failure before there are replicas is the guest's own to see
    if (!this.#isAttached) return
    if (this.#images.primary.includes(nodeName)) {
      const disk = this.#options.disks[this.#images.primary.indexOf(nodeName)]!
      const why = failingWhy(what)
      this.#setFailing(disk, why)
      const { primary, timeout = commandTimeout } = this.#options
      // where it cannot be recorded, this process knows it still
      void this.#once(() => recordFailing(primary, disk, why, { timeout })).catch(() => {})
    } else if (this.disks.some(disk => replicaNodes(this.epoch, disk).includes(nodeName))) {
      void this.#once(() => this.#goOnAlone(`the replica missed something: a ${what}`)).catch(() => {})
    }
  }

  #setFailing(disk: string, why: string): void {
    this.#failing.set(disk, why)
    this.#degraded.set(disk, why)
    this.#report.setState(disk, { kind: 'degraded', why })
  }

  /** Cuts the secondary off after a failure, and says so on both sides as far as they can be reached. */
  async #goOnAlone(why: string): Promise<void> {
    if (this.#failing.size > 0) return
    const { primary, disks, epoch, timeout = commandTimeout } = this.#options
    const wasAttached = this.#isAttached
    this.#isAttached = false
    for (const disk of disks) if (!this.#degraded.has(disk)) this.#degraded.set(disk, why)
    if (!wasAttached) return
    this.#report.tell({ type: 'cut', why })
    // now: to cut a secondary off, and to look, may take its time
    for (const disk of disks) this.#report.setState(disk, { kind: 'degraded', why: this.#degraded.get(disk)! })
    await cutReplicas(primary.urgent ?? primary.qmp, { disks, epoch }, { timeout }).catch(() => {})
    await this.#end(why).catch(() => {})
    await this.status({ timeout })
  }

  #end(why: string): Promise<void> {
    const { primary, secondary, disks, timeout = commandTimeout } = this.#options
    return endProtection({ primary, secondary, disks, why, timeout })
  }

  /** Beats until the pair is disposed, or goes on alone. */
  #watch(number: number): Promise<void> {
    const { primary, disks, epoch } = this.#options
    const heartbeat = this.#heartbeat
    const { signal } = this.#over
    return watchPair({
      ...{ primary, disks, epoch, heartbeat, signal },
      isOver: () => signal.aborted || !this.#isAttached || this.#watches !== number,
      isKnownWrong: disk => this.#degraded.has(disk),
      mustNotCut: () => this.#failing.size > 0,
      look: () => this.status({ timeout: heartbeat.timeout }),
      onSeen: status => this.#report.tellFilling(status),
      fail: why => this.#once(() => this.#goOnAlone(why)),
    })
  }
}

const replicaNodes = (epoch: number, disk: string): string[] => [replicaNode(epoch, disk), nbdNode(epoch, disk)]

const refuseToRead = (): Promise<never> => Promise.reject(new Error('there is nothing that reads dirty bitmaps here'))
