import { setTimeout as delay } from 'node:timers/promises'
import { forgetStopped } from '../../colo/guest-control.js'
import { lookAt } from '../../colo/look.js'
import type { ColoPair } from '../../colo/pair/pair.js'
import type { PairEvent } from '../../colo/pair/pair-event.js'
import { protectPair } from '../../colo/pair/protect-pair.js'
import type { ReadExtents } from '../../colo/protect/protect-options.js'
import { cont, stop } from '../../qmp/commands/stop-cont.js'
import { systemReset } from '../../qmp/commands/system-reset.js'
import type { ColoStatus } from '../colo-status.js'
import { worthOf } from './disk-worth.js'
import type { Visit, Welcome } from './greeting.js'
import type { CheckpointTaken } from './guest-commands.js'
import { type GuestHost, type Peer, PeerRefusal } from './guest-host.js'
import type { NodeRecord } from './node-record.js'
import { takeOverGuest } from './take-over-guest.js'

/** For a single command of QEMU, in milliseconds: of its own, and of those that the other node's may keep waiting. */
const commandTimeout = 10_000
const pairTimeout = 5000
/** Between two tries to reach the other node, and to ask the cluster, in milliseconds. */
const firstRetry = 500
const longestRetry = 10_000
const askAgain = 1000
/** How long the cluster may take to answer, in milliseconds: a node that has gone is fenced first. */
const askTimeout = 60_000
/** How long a node that is demoted waits for that, in milliseconds. */
const lastAskTimeout = 10_000

/** What is done over the connections to a secondary. */
interface Session {
  peer: Peer
  pair: ColoPair
}

/**
 * A node of a guest that COLO replicates. Unpromoted, its QEMU stands still, and is a secondary for the other node's; promoted, the guest runs,
 * and its disks are kept protected. Without a secondary the guest stands still until the cluster says that this node alone counts: what
 * it wrote since the last checkpoint may be gone, and nothing before.
 */
export class GuestNode {
  readonly #host: GuestHost
  readonly #readExtents: ReadExtents
  #record: NodeRecord
  #role: ColoStatus['role'] = 'secondary'
  #pair: ColoStatus['pair'] = 'none'
  #seen: Pick<ColoStatus, 'isRunning' | 'data'> & { failing?: string | undefined } = {
    isRunning: false,
    data: 'unknown',
  }
  /** How often QEMU did not answer, one time after another, and why. */
  #silent = 0
  #silence = ''
  #fencedBy: number | undefined
  #checkpoints = 0
  #why = ''
  #session: Session | undefined
  /** Whether the cluster has still to hear that both nodes count. */
  #isConstrained = false
  #isChanging = false
  #keeping: { over: AbortController; done: Promise<void> } | undefined
  /** Checkpoints that were asked for: each lets the guest go on. */
  readonly #asked = new Set<Promise<unknown>>()
  #busy: Promise<unknown> = Promise.resolve()
  #hearing: Promise<unknown> = Promise.resolve()
  /** Called when something that the status shows has changed. */
  onChange: () => void = () => {}
  /** Called when visits of earlier promotions are over. */
  onNewer: (promotion: number) => void = () => {}

  constructor(host: GuestHost, record: NodeRecord, readExtents: ReadExtents) {
    this.#host = host
    this.#record = record
    this.#readExtents = readExtents
  }

  status(): ColoStatus {
    const { isRunning, data, failing } = this.#seen
    const silence = this.#silent > 1 ? `QEMU does not answer: ${this.#silence}` : undefined
    return {
      role: this.#role,
      isRunning,
      pair: this.#pair,
      data,
      promotion: this.#record.promotion,
      fencedBy: this.#fencedBy,
      isSplit: this.#host.isSplit(),
      failure: silence ?? (this.#role === 'primary' ? failing : undefined),
      checkpoints: this.#checkpoints,
      why: this.#why,
    }
  }

  /** Looks at its own QEMU. Never fails. */
  async look(): Promise<void> {
    const { own, disks, node } = this.#host
    try {
      const { running, disks: sights } = await lookAt(own, disks, { timeout: commandTimeout })
      this.#silent = 0
      const failing = sights.flatMap(({ record }) => record?.failing ?? [])[0]
      this.#seen = { isRunning: running, data: worthOf(sights, this.#record, node), failing }
      // somebody let it go on by hand: there would be two
      if (running && this.#role === 'secondary' && !this.#isChanging) {
        this.#host.say('the guest ran on a node that is not promoted: it was stopped')
        await this.#stop()
      }
    } catch (error) {
      this.#silent++
      this.#silence = (error as Error).message
    }
    this.onChange()
  }

  /** Whether a primary is let in, that of the other node. One whose promotion is the later one fences this node. */
  async admit(visit: Visit): Promise<Welcome> {
    if (visit.promotion > this.#record.promotion) await this.#hear(visit)
    const { promotion, isForced } = this.#record
    const refuse = (why: string): Welcome => ({ isIn: false, promotion, isForced, why })
    if (visit.promotion < promotion) return refuse(`promotion ${visit.promotion} is over: there was ${promotion}`)
    if (this.#role === 'primary' || this.#isChanging) return refuse('it is promoted, too, or is just being demoted')
    if (this.#host.isSplit()) return refuse('split brain: what was written there alone is not overwritten')
    return { isIn: true, promotion }
  }

  /** @param timeout for all of it, in milliseconds @throws Error where it is not to be promoted */
  promote({ number, force, timeout }: { number: number; force: boolean; timeout: number }): Promise<void> {
    return this.#once(async () => {
      if (this.#role === 'primary') {
        if (this.#fencedBy === undefined) return
        throw new Error(`it is fenced by promotion ${this.#fencedBy}: it has to be demoted first`)
      }
      const { promotion, isForced, isAlone } = this.#record
      if (number <= promotion) throw new Error(`promotion ${number} is over: there was ${promotion}`)
      const end = performance.now() + timeout
      // from here on the primary that was is kept out
      await this.#keep({ promotion: number, by: this.#host.node, isForced: force || isForced, isAlone })
      this.onNewer(number)
      await takeOverGuest(this.#host, { number, force, timeout })
      if (this.#record.promotion !== number) throw new Error(`promotion ${this.#record.promotion} was made meanwhile`)
      this.#isConstrained = true
      this.#role = 'primary'
      this.#checkpoints = 0
      try {
        await this.#goOnAlone(AbortSignal.timeout(Math.max(0, Math.ceil(end - performance.now()))), { isFresh: true })
        if (this.#pair !== 'alone') throw new Error(`the cluster does not say that it may begin: ${this.#why}`)
      } catch (error) {
        this.#role = 'secondary'
        this.#pair = 'none'
        throw error
      }
      this.#host.say(`promoted, ${number}${force ? ', by force' : ''}`)
      const over = new AbortController()
      this.#keeping = { over, done: this.#keepPair(over.signal) }
    })
  }

  /** Takes a last checkpoint, and lets the guest run here no more. */
  demote({ timeout }: { timeout: number }): Promise<void> {
    return this.#once(async () => {
      if (this.#role === 'secondary') return
      await this.#endKeeping()
      await this.#stop()
      await this.#leave(timeout)
      await this.#standStill()
      await this.#host.own.qmp.run(systemReset, undefined, { timeout: commandTimeout })
      this.#role = 'secondary'
      this.#pair = 'none'
      this.#fencedBy = undefined
      this.#why = ''
      this.#host.say('demoted')
    })
  }

  /** Resolves when all that the guest had written is kept, whichever node goes on. @throws Error where that is not so */
  async checkpoint({ timeout }: { timeout: number }): Promise<CheckpointTaken> {
    const session = this.#session
    if (this.#role !== 'primary' || this.#fencedBy !== undefined || this.#isChanging)
      throw new Error('it is no primary')
    if (this.#pair === 'alone') return { by: 'alone' }
    if (this.#pair !== 'protected' || session === undefined) throw new Error('no checkpoint can be taken now')
    const taken = session.pair.checkpoint({ timeout })
    const asked = taken.catch(() => {})
    this.#asked.add(asked)
    void asked.then(() => this.#asked.delete(asked))
    await taken
    return { by: 'checkpoint' }
  }

  /** Ends what it does; its guest stands still then. */
  async close(): Promise<void> {
    this.#isChanging = true
    await this.#endKeeping()
    await this.#endSession()
    await this.#stop().catch(() => {})
  }

  /** One change at a time. */
  #once(work: () => Promise<void>): Promise<void> {
    const done = this.#busy.then(async () => {
      this.#isChanging = true
      try {
        await work()
      } finally {
        this.#isChanging = false
        await this.look()
      }
    })
    this.#busy = done.catch(() => {})
    return done
  }

  async #keep(record: NodeRecord): Promise<void> {
    await this.#host.keep(record)
    this.#record = record
  }

  /** Another node's promotion, later than all that were heard of. */
  #hear({ promotion, isForced }: Pick<Visit, 'promotion' | 'isForced'>): Promise<void> {
    const work = async () => {
      if (promotion <= this.#record.promotion) return
      // first that the guest stands still
      if (this.#role === 'primary') this.#fence(promotion)
      if (this.#record.isAlone && !isForced)
        this.#host.setSplit(`promotion ${promotion} was made elsewhere, while this node went on alone`)
      this.onChange()
      await this.#keep({ promotion, by: this.#host.peer, isForced: false, isAlone: false })
      this.onNewer(promotion)
      await this.look()
    }
    const done = this.#hearing.then(work)
    this.#hearing = done.catch(() => {})
    return done
  }

  #fence(promotion: number): void {
    this.#fencedBy = promotion
    this.#host.say(`fenced by promotion ${promotion}: the guest stands still`)
    this.onChange()
    const stopped = this.#stop().then(async () => {
      await this.#endKeeping()
      await this.#endSession()
      await this.#standStill()
    })
    stopped.catch(error => this.#host.say(`the guest cannot be stopped: ${(error as Error).message}`))
  }

  /** Nobody lets the guest go on any more: a checkpoint that was under way has done so. */
  async #standStill(): Promise<void> {
    await this.#stop()
    await forgetStopped(this.#host.own.qmp, { timeout: commandTimeout })
  }

  async #stop(): Promise<void> {
    await this.#host.own.qmp.run(stop, undefined, { timeout: commandTimeout })
  }

  /** Has a secondary whenever there is one to be had, until the signal is aborted. */
  async #keepPair(signal: AbortSignal): Promise<void> {
    for (let after = firstRetry; !signal.aborted; after = Math.min(after * 2, longestRetry)) {
      try {
        await this.#protect(signal)
        after = firstRetry
      } catch (error) {
        if (signal.aborted) return
        this.#setWhy((error as Error).message)
        if (error instanceof PeerRefusal && error.promotion > this.#record.promotion) {
          await this.#hear(error).catch(() => {})
          return
        }
      }
      if (signal.aborted) return
      // a secondary that is silent takes its time to be left
      await Promise.all([this.#endSession(), this.#goOnAlone(signal)])
      await pause(after, signal)
    }
  }

  /** Protects the disks, and takes checkpoints until something fails. */
  async #protect(signal: AbortSignal): Promise<void> {
    const { own, node, disks, address, every } = this.#host
    const { promotion: epoch, isForced } = this.#record
    const limits = { signal, timeout: pairTimeout }
    const peer = await this.#host.reach({ promotion: epoch, node, isForced }, limits)
    const cut = new AbortController()
    const onEvent = (event: PairEvent) => this.#happened(event, cut)
    let pair: ColoPair | undefined
    try {
      const overlays = await peer.prepare(disks, limits)
      const readExtents = this.#readExtents
      const sides = { primary: own, secondary: peer.side }
      pair = await protectPair({ ...sides, disks, ...address, epoch, overlays, readExtents, onEvent, ...limits })
      this.#session = { peer, pair }
    } finally {
      if (pair === undefined) await peer[Symbol.asyncDispose]()
    }
    if (cut.signal.aborted || signal.aborted) return
    await this.#keep({ ...this.#record, isForced: false, isAlone: false })
    this.#isConstrained = true
    this.#pair = 'protected'
    this.#why = ''
    this.onChange()
    const ended = AbortSignal.any([signal, cut.signal])
    while (!ended.aborted) {
      await this.#endConstraint()
      await pair.checkpoint({ timeout: pairTimeout })
      await pause(every, ended)
    }
  }

  #happened(event: PairEvent, cut: AbortController): void {
    switch (event.type) {
      case 'plan':
        this.#host.say(`${event.disk}: to be copied: ${event.plan.kind} (${event.plan.why})`)
        return
      case 'progress':
        this.#setWhy(`${event.disk} is copied: ${event.current} of ${event.total} bytes`)
        return
      case 'checkpoint':
        this.#checkpoints++
        return
      case 'cut':
        this.#setWhy(event.why)
        cut.abort()
        if (this.#pair !== 'protected') return
        // what the guest writes from now on is to count only where the cluster knows it
        this.#pair = 'asking'
        this.#stop().catch(() => {})
    }
  }

  /** Both nodes have what counts: the cluster may promote either. Where it cannot hear that now, it is told later. */
  async #endConstraint(): Promise<void> {
    if (!this.#isConstrained) return
    try {
      await this.#host.isEqual()
      this.#isConstrained = false
    } catch (error) {
      this.#setWhy(`the cluster cannot be told that both nodes count: ${(error as Error).message}`)
    }
  }

  /** Lets the guest go on without a secondary, once the cluster says that no other node may. */
  async #goOnAlone(signal: AbortSignal, { isFresh = false } = {}): Promise<void> {
    if (this.#pair === 'alone') return
    const { own } = this.#host
    this.#pair = 'asking'
    this.onChange()
    while (!signal.aborted) {
      try {
        // what a QEMU that is dead has is not to count alone
        await this.#stop()
        await this.#host.mayGoOnAlone(AbortSignal.any([signal, AbortSignal.timeout(askTimeout)]))
        if (signal.aborted) return
        await this.#keep({ ...this.#record, isAlone: true })
        if (isFresh) await own.qmp.run(systemReset, undefined, { timeout: commandTimeout })
        if (signal.aborted || this.#fencedBy !== undefined) return
        await own.qmp.run(cont, undefined, { timeout: commandTimeout })
        this.#pair = 'alone'
        this.#why = ''
        return this.onChange()
      } catch (error) {
        this.#setWhy((error as Error).message)
        await pause(askAgain, signal)
      }
    }
  }

  /** The guest stands still: what it wrote is kept on the other node too, or the cluster is told that it is not. */
  async #leave(timeout: number): Promise<void> {
    try {
      if (this.#pair === 'protected' && this.#session !== undefined && this.#fencedBy === undefined)
        await this.#session.pair.checkpoint({ timeout: Math.min(timeout / 2, pairTimeout) })
    } catch (error) {
      this.#host.say(`no last checkpoint: ${(error as Error).message}`)
      await this.#host
        .mayGoOnAlone(AbortSignal.timeout(Math.min(Math.ceil(timeout / 3), lastAskTimeout)))
        .then(() => this.#keep({ ...this.#record, isAlone: true }))
        .catch(error => this.#host.say(`what was written since the last checkpoint may be lost: ${error.message}`))
    } finally {
      await this.#endSession()
    }
  }

  /** Ends taking checkpoints. */
  async #endKeeping(): Promise<void> {
    this.#keeping?.over.abort()
    await this.#keeping?.done
    this.#keeping = undefined
    await Promise.all(this.#asked)
  }

  async #endSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.pair[Symbol.asyncDispose]()
    await session?.peer[Symbol.asyncDispose]()
  }

  #setWhy(why: string): void {
    if (why === this.#why) return
    this.#why = why
    this.onChange()
  }
}

const pause = (time: number, signal: AbortSignal): Promise<void> => delay(time, undefined, { signal }).catch(() => {})
