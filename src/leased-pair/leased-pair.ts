import type { Catalogue } from '../lease/catalogue.js'
import { holdLease } from '../lease/hold-lease.js'
import { isLeaseError } from '../lease/lease-error.js'
import type { LeaseKeeper } from '../lease/lease-keeper.js'
import type { LeaseStore } from '../lease/lease-store.js'
import { newAttempt } from '../lease/new-attempt.js'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import type { LeaseStatus } from '../protocol-d/control/lease-status.js'
import type { ServedStatus } from '../protocol-d/control/served-status.js'
import type { Arbiter } from '../protocol-d/node/arbiter.js'
import type { Guard } from '../protocol-d/node/guard.js'
import { noLease } from '../protocol-d/node/guarded-backend.js'
import { ProtocolDError } from '../protocol-d/protocol-d-error.js'
import { Alarm } from './alarm.js'
import { KnownPair } from './known-pair.js'
import { nextStep, type PairView, type Step } from './next-step.js'
import { Order } from './order.js'
import type { PairDisk } from './pair-disk.js'
import type { PairNode } from './pair-node.js'
import { WatchedHolder } from './watched-holder.js'

export interface LeasedPairOptions {
  leases: LeaseStore
  catalogue: Catalogue
  /** The lease. */
  name: string
  /** This node. */
  self: PairNode
  /** In milliseconds. */
  ttl: number
}

/** How often it looks at what nobody tells it, in milliseconds: the record, a lease that another one has. */
const lookInterval = 1000
/** How long it waits after something failed. */
const retryDelay = 300
/** How long a change of roles may wait for the peer: what that lacks then, the catalogue knows. */
const changeTimeout = 2000
/** How long it tries to promote the node before it leaves the lease to the other one. */
const patience = 10_000
/** How long a node that has just begun waits for its peer before it goes on without it. */
const settling = 2000
const settlingPause = 'it gives its peer time to come'
/** Not more often does it say that its changes do not count. */
const discardInterval = 5000

/**
 * A node of a pair under a lease: it is Primary while it has the lease, and no longer. It goes on without its peer once the catalogue says that only
 * this node may be promoted.
 */
export class LeasedPair implements Guard, Arbiter, AsyncDisposable {
  readonly #options: LeasedPairOptions
  readonly #over = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #alarm: Alarm
  readonly #known: KnownPair
  #disk: PairDisk | undefined
  #running: Promise<void> | undefined
  /** The lease that this node has; lost, until the node is Secondary. */
  #keeper: LeaseKeeper | undefined
  /** That under which the guest is served. */
  #serving: LeaseKeeper | undefined
  /** The store has said that it is another's. */
  #isTaken = false
  /** What all that is tried until the lease is had goes by: an answer that was lost is found again. */
  #attempt = newAttempt()
  #watched: WatchedHolder | undefined
  #order: Order | undefined
  #state: LeaseStatus['state'] = 'waits'
  #why = ''
  #pausedUntil: number
  #pause: string = settlingPause
  #promotingSince: number | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #discardedAt = Number.NEGATIVE_INFINITY

  constructor(options: LeasedPairOptions) {
    this.#options = options
    this.#alarm = new Alarm(options.leases.clock)
    this.#known = new KnownPair(options.catalogue, options.name, options.self)
    this.#pausedUntil = options.leases.clock.uptime() + settling
  }

  /** Begins, once the node is there. */
  begin(disk: PairDisk): void {
    this.#disk = disk
    const unlisten = disk.onChange(() => this.#alarm.ring('change'))
    const { leases, name } = this.#options
    this.#watched = new WatchedHolder(leases, name, this.#over.signal, isFree => {
      this.#changed()
      if (isFree) this.#alarm.ring('lease')
    })
    this.#running = this.#run(disk).finally(unlisten)
  }

  isHeld(): boolean {
    return this.#serving?.isHeld() === true
  }

  status(): LeaseStatus {
    const { name, self } = this.#options
    const keeper = this.#keeper
    const isHeld = keeper?.isHeld() === true
    const problem = isHeld ? keeper.problem : undefined
    return {
      ...{ name, node: self.name },
      state: this.#state === 'held' && !isHeld ? 'lost' : this.#state,
      holder: isHeld ? self.name : this.#watched?.holder,
      epoch: keeper?.epoch,
      why: printable(problem?.message ?? this.#why),
    }
  }

  onChange(changed: () => void): void {
    this.#listeners.add(changed)
  }

  async force(reason: string, { timeout }: Limits): Promise<void> {
    const { role } = this.#disk!.status()
    if (role === 'primary' && this.isHeld()) return
    await this.#do(new Order('force', reason), timeout)
  }

  async handOver({ timeout }: Limits): Promise<void> {
    if (this.#disk!.status().role === 'primary') await this.#do(new Order('hand-over', ''), timeout)
  }

  ending(): void {
    this.#over.abort()
    this.#alarm.ring('order')
  }

  /** Gives the lease up, once the node is Secondary or closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ending()
    await this.#running
    this.#serving = undefined
    await this.#keeper?.[Symbol.asyncDispose]()
  }

  async mayGoOnAlone(promotion: number, { signal }: Limits): Promise<void> {
    const keeper = this.#servingBy(promotion)
    if (this.#known.recorded(keeper) !== 'alone') await this.#write(keeper, true, signal)
    keeper.check()
  }

  async isEqual(promotion: number, { signal }: Limits): Promise<void> {
    const keeper = this.#servingBy(promotion)
    if (this.#disk!.status().connection !== 'equal') throw new Error('the peer has gone again')
    if (this.#known.recorded(keeper) !== 'equal') await this.#write(keeper, false, signal)
  }

  /** The lease under which the node is served, by the promotion that asks. @throws ProtocolDError no-lease */
  #servingBy(promotion: number): LeaseKeeper {
    const keeper = this.#serving
    if (keeper?.isHeld() !== true || keeper.epoch !== promotion) throw noLease()
    return keeper
  }

  /** Has an operator's order done. */
  async #do(order: Order, timeout: number | undefined): Promise<void> {
    if (this.#order !== undefined) throw new ProtocolDError('busy', 'another change is under way')
    this.#order = order
    this.#pause = ''
    this.#alarm.ring('order')
    const { clock } = this.#options.leases
    using _limit = clock.after(timeout ?? patience, () =>
      order.failed(new ProtocolDError('no-lease', `it was not done in time: ${this.#whyNotDone}`)),
    )
    try {
      await order.done
    } finally {
      this.#order = undefined
      this.#alarm.ring('order')
    }
  }

  get #whyNotDone(): string {
    return printable(this.#why || `${this.#watched?.holder ?? 'nobody'} has the lease`)
  }

  async #run(disk: PairDisk): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#alarm.reset()
      // what is not had is handed over
      if (this.#order?.kind === 'hand-over' && this.#keeper === undefined) this.#order.succeeded()
      await this.#take(nextStep(this.#view(disk)), disk)
      // whatever the steps are, others have their turn
      await this.#alarm.wait(0, [])
    }
    this.#order?.failed(new ProtocolDError('busy', 'the node is being closed'))
  }

  #view(disk: PairDisk): PairView {
    const { self } = this.#options
    const keeper = this.#keeper
    const isHeld = keeper?.isHeld() === true && !this.#isTaken
    const status = disk.status()
    return {
      ...{ status, self, record: this.#known.record },
      isFresh: this.#known.isFresh(keeper),
      recorded: this.#known.recorded(keeper),
      lease: keeper === undefined ? 'none' : isHeld ? 'held' : 'lost',
      epoch: keeper?.epoch,
      order: this.#order?.kind ?? 'none',
      pause: this.#pauseOf(status),
    }
  }

  #pauseOf({ connection }: ServedStatus): string {
    const hasCome = this.#pause === settlingPause && connection !== 'none' && connection !== 'hello'
    if (hasCome || this.#options.leases.clock.uptime() >= this.#pausedUntil) this.#pause = ''
    return this.#pause
  }

  async #take(step: Step, disk: PairDisk): Promise<void> {
    switch (step.kind) {
      case 'wait':
        return this.#wait(step.why)
      case 'acquire':
        return this.#acquire(disk)
      case 'read':
        this.#say('takes', '')
        return this.#trying(() => this.#known.read(this.#keeper, this.#over.signal))
      case 'record':
        return this.#trying(() => this.#write(this.#keeper!, step.isAlone, this.#over.signal))
      case 'promote':
        return this.#promote(disk, step.isForced)
      case 'serve':
        this.#say('held', '')
        if (this.#order?.kind === 'force') this.#order.succeeded()
        return this.#alarm.wait(lookInterval)
      case 'demote':
        return this.#demote(disk, step.why)
      case 'release':
        return this.#release(step.why)
      case 'discard':
        return this.#discard(disk)
    }
  }

  async #wait(why: string): Promise<void> {
    const { clock } = this.#options.leases
    const left = this.#lookedAt + lookInterval - clock.uptime()
    if (left > 0) {
      this.#say('waits', why)
      return this.#alarm.wait(left)
    }
    this.#lookedAt = clock.uptime()
    await this.#trying(() => this.#known.read(this.#keeper, this.#over.signal))
  }

  async #acquire(disk: PairDisk): Promise<void> {
    const { leases, name, self, ttl } = this.#options
    const { promotion } = disk.status()
    const options = {
      holder: self.name,
      ttl,
      above: Math.max(promotion, this.#known.promotion),
      attempt: this.#attempt,
    }
    try {
      this.#keeper = await holdLease(leases, name, { ...options, signal: this.#over.signal })
    } catch (error) {
      const isTaken = isLeaseError(error, 'taken')
      this.#say('waits', isTaken ? '' : (error as Error).message)
      // that it is free again is told; whatever happens to the node, nobody is asked more often
      return this.#alarm.wait(isTaken ? lookInterval : retryDelay, ['lease', 'order'])
    }
    this.#attempt = newAttempt()
    this.#isTaken = false
    this.#promotingSince = undefined
    this.#keeper.signal.addEventListener('abort', () => this.#alarm.ring('change'))
  }

  async #write(keeper: LeaseKeeper, isAlone: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { url } = this.#disk!.status()
    const reason = this.#order?.kind === 'force' ? this.#order.reason : undefined
    try {
      await this.#known.write({ keeper, isAlone, nbd: url, reason }, signal)
    } catch (error) {
      if (isLeaseError(error, 'lost') && keeper === this.#keeper) this.#lose()
      throw error
    }
  }

  async #promote(disk: PairDisk, force: boolean): Promise<void> {
    const { clock } = this.#options.leases
    const keeper = this.#keeper!
    this.#say('takes', '')
    this.#promotingSince ??= clock.uptime()
    this.#serving = keeper
    try {
      await disk.promote({ number: keeper.epoch, force }, { timeout: changeTimeout })
    } catch (error) {
      this.#serving = undefined
      const { code, message } = error as ProtocolDError
      this.#say('takes', message)
      const isOver = code === 'number-over' || clock.uptime() > this.#promotingSince + patience
      if (force && (isOver || code === 'not-promotable')) this.#order?.failed(error as Error)
      if (isOver) return this.#release(message, code === 'number-over')
      return this.#alarm.wait(retryDelay, ['order'])
    }
    this.#say('held', '')
  }

  async #demote(disk: PairDisk, why: string): Promise<void> {
    this.#serving = undefined
    this.#say('lost', why)
    try {
      await disk.demote({ force: true, timeout: changeTimeout })
    } catch (error) {
      // its clients were cut off: nobody is served
      if (error instanceof ProtocolDError && error.code === 'file-failed') return this.#release(error.message)
      this.#say('lost', `${why}; ${(error as Error).message}`)
      return this.#alarm.wait(retryDelay, ['order'])
    }
  }

  /** @param isAgain in a new epoch, it is of use to this node */
  async #release(why: string, isAgain = false): Promise<void> {
    const keeper = this.#keeper
    const isHeld = keeper?.isHeld() === true
    this.#keeper = undefined
    this.#serving = undefined
    this.#known.forget()
    this.#say('waits', why)
    // the other one is to have it first
    if (isHeld && !isAgain) this.#pauseFor(this.#options.ttl, why)
    await keeper?.[Symbol.asyncDispose]()
    this.#lookedAt = Number.NEGATIVE_INFINITY
  }

  #pauseFor(time: number, why: string): void {
    this.#pausedUntil = this.#options.leases.clock.uptime() + time
    this.#pause = `leaves the lease to the other node: ${why}`
  }

  async #discard(disk: PairDisk): Promise<void> {
    const { clock } = this.#options.leases
    if (clock.uptime() < this.#discardedAt + discardInterval) return this.#wait('the nodes do not fit together')
    this.#discardedAt = clock.uptime()
    await this.#trying(() => disk.discardOwnChanges())
  }

  #lose(): void {
    this.#isTaken = true
    this.#serving = undefined
    this.#alarm.ring('change')
  }

  /** What fails is tried again, or is no more the next step. */
  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#say(this.#state, (error as Error).message)
      await this.#alarm.wait(retryDelay, ['order'])
    }
  }

  #say(state: LeaseStatus['state'], why: string): void {
    if (state === this.#state && why === this.#why) return
    this.#state = state
    this.#why = why
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
