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
import { nextStep, type PairView, type Step } from './next-step.js'
import { Order } from './order.js'
import type { PairNode } from './pair-node.js'
import { type PairRecord, pairKey, readPairRecord } from './pair-record.js'
import type { KnownRecord } from './why-not-promoted.js'

/** What a pair does with its node. */
export interface PairDisk {
  status(): ServedStatus
  onChange(changed: () => void): () => void
  promote(options: { number: number; force: boolean }, limits: { timeout: number }): Promise<void>
  /** Cuts its clients off, and makes it Secondary. */
  demote(options: { force: true; timeout: number }): Promise<void>
  discardOwnChanges(): Promise<void>
}

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
  #holder: string | undefined
  #record: KnownRecord = 'unknown'
  #isFresh = false
  #recorded: PairView['recorded'] = 'nothing'
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
    this.#pausedUntil = options.leases.clock.uptime() + settling
  }

  /** Begins, once the node is there. */
  begin(disk: PairDisk): void {
    this.#disk = disk
    const unlisten = disk.onChange(() => this.#alarm.ring('change'))
    void this.#watch()
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
      holder: isHeld ? self.name : this.#holder,
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
    if (this.#recorded !== 'alone') await this.#write(keeper, true, signal)
    keeper.check()
  }

  async isEqual(promotion: number, { signal }: Limits): Promise<void> {
    const keeper = this.#servingBy(promotion)
    if (this.#disk!.status().connection !== 'equal') throw new Error('the peer has gone again')
    if (this.#recorded !== 'equal') await this.#write(keeper, false, signal)
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
    return printable(this.#why || `${this.#holder ?? 'nobody'} has the lease`)
  }

  async #run(disk: PairDisk): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#alarm.reset()
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
      ...{ status, self, record: this.#record, isFresh: this.#isFresh, recorded: this.#recorded },
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
        return this.#trying(() => this.#read())
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
    this.#say('waits', why)
    const { clock } = this.#options.leases
    const left = this.#lookedAt + lookInterval - clock.uptime()
    if (left > 0) return this.#alarm.wait(left)
    this.#lookedAt = clock.uptime()
    await this.#trying(() => this.#read())
  }

  async #acquire(disk: PairDisk): Promise<void> {
    const { leases, name, self, ttl } = this.#options
    const { promotion } = disk.status()
    const known = typeof this.#record === 'string' ? 0 : this.#record.promotion
    const options = { holder: self.name, ttl, above: Math.max(promotion, known), attempt: this.#attempt }
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
    this.#isFresh = false
    this.#recorded = 'nothing'
    this.#promotingSince = undefined
    this.#keeper.signal.addEventListener('abort', () => this.#alarm.ring('change'))
  }

  /** Reads the record; under a lease that is held, nobody else writes it after that. */
  async #read(): Promise<void> {
    const { catalogue, name } = this.#options
    const keeper = this.#keeper
    let found: Awaited<ReturnType<Catalogue['get']>>
    try {
      found = await catalogue.get(name, pairKey, { signal: this.#over.signal })
    } catch (error) {
      this.#record = 'unknown'
      throw error
    }
    this.#record = found === undefined ? 'none' : (readPairRecord(found.value) ?? 'unreadable')
    if (keeper === this.#keeper) this.#isFresh = keeper !== undefined
  }

  async #write(keeper: LeaseKeeper, isAlone: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { catalogue } = this.#options
    const record = this.#newRecord(keeper.epoch, isAlone)
    this.#recorded = 'nothing'
    const both = signal === undefined ? keeper.signal : AbortSignal.any([signal, keeper.signal])
    try {
      await catalogue.put(keeper.grant, pairKey, record, { signal: both })
    } catch (error) {
      if (isLeaseError(error, 'lost') && keeper === this.#keeper) this.#lose()
      throw error
    }
    if (keeper !== this.#keeper) throw noLease()
    this.#record = record
    this.#recorded = isAlone ? 'alone' : 'equal'
  }

  #newRecord(promotion: number, isAlone: boolean): PairRecord {
    const { self } = this.#options
    const before = typeof this.#record === 'string' ? undefined : this.#record
    const { url } = this.#disk!.status()
    const others = before?.nodes.filter(({ side }) => side !== self.side) ?? []
    const reason = this.#order?.kind === 'force' ? this.#order.reason : undefined
    return {
      nodes: [...others, self],
      primary: self,
      nbd: url,
      promotion,
      alone: isAlone ? self : null,
      state: isAlone ? 'alone' : 'equal',
      forced: reason === undefined ? (before?.forced ?? null) : { node: self, promotion, reason },
      isForced: isAlone && (reason !== undefined || before?.isForced === true),
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
    this.#record = 'unknown'
    this.#isFresh = false
    this.#recorded = 'nothing'
    this.#say('waits', why)
    // the other one is to have it first
    if (isHeld && !isAgain) this.#pauseFor(this.#options.ttl, why)
    await keeper?.[Symbol.asyncDispose]()
    this.#lookedAt = Number.NEGATIVE_INFINITY
    if (this.#order?.kind === 'hand-over') this.#order.succeeded()
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

  /** Hears who has the lease. */
  async #watch(): Promise<void> {
    const { leases, name } = this.#options
    const { signal } = this.#over
    while (!signal.aborted) {
      try {
        for await (const { holder } of leases.watch(name, { signal })) {
          this.#holder = holder
          this.#changed()
          if (holder === undefined) this.#alarm.ring('lease')
        }
      } catch {
        this.#holder = undefined
        if (!signal.aborted) await new Promise<void>(resolve => leases.clock.after(lookInterval, resolve))
      }
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
