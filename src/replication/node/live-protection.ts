import type { NbdExport } from '../../nbd/nbd-export.js'
import type { TakenPoint } from '../agent/taken-point.js'
import { LiveChild } from '../cycles/live-child.js'
import type { LiveEvent } from '../cycles/live-outcome.js'
import { ReplicationError } from '../replication-error.js'
import { every } from './every.js'
import { LiveSink } from './live-sink.js'
import type { Protection, ProtectionOptions } from './protection.js'

/** How long it waits before it catches up again, in milliseconds: twice as long each time, until it was live for a while. */
const first = 200
const most = 10_000

/** A live child of each of the guest's quorums, attached again whenever it was lost. */
export class LiveProtection implements Protection {
  readonly #options: ProtectionOptions
  readonly #child: LiveChild
  readonly #endRotations: () => void
  #isBusy = false
  #isRotating = false
  #delay = first
  #later: Disposable | undefined
  #isClosed = false

  private constructor(options: ProtectionOptions, child: LiveChild) {
    this.#options = options
    this.#child = child
    if (!options.isTrusted) child.distrust()
    this.#endRotations = every(options.every, () => void this.#rotate())
    void this.#catchUp()
  }

  /** @throws ReplicationError not-found, wrong-state, qemu */
  static async open(options: ProtectionOptions): Promise<LiveProtection> {
    const { qemu, deadline, clock } = options
    const target = new LiveSink(options, () => clock.uptime())
    let heard = (_: LiveEvent) => {}
    const onEvent = (event: LiveEvent) => heard(event)
    const child = await LiveChild.open({ ...qemu, target, stallLimit: deadline, onEvent })
    const live = new LiveProtection(options, child)
    heard = event => live.#heard(event)
    return live
  }

  exports(name: string): NbdExport | undefined {
    return this.#child.exports(name)
  }

  problem(): undefined {}

  begun(isTrusted: boolean): void {
    if (!isTrusted) this.#child.distrust()
    this.#catchUpLater(0)
  }

  drained(): void {}

  lost(why: string): void {
    this.#child.lose(why)
  }

  async point(name: string): Promise<TakenPoint> {
    const { sink, progress, isReady } = this.#options
    if (progress.isSettled && isReady()) return await sink.point(name)
    throw new ReplicationError('wrong-state', 'no checkpoint can be taken: the replica is not up to date')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#endRotations()
    this.#later?.[Symbol.dispose]()
    await this.#child.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #heard(event: LiveEvent): void {
    this.#options.counts.event(event)
    if (event.type === 'state') this.#entered(event)
  }

  #entered({ state, why = 'the children were lost' }: Extract<LiveEvent, { type: 'state' }>): void {
    const { progress, changed } = this.#options
    if (state === 'apart' && !this.#isClosed) {
      progress.failed(why)
      this.#catchUpLater()
    }
    changed()
  }

  #catchUpLater(delay = this.#delay): void {
    if (this.#isClosed) return
    this.#later?.[Symbol.dispose]()
    this.#later = this.#options.clock.after(delay, () => void this.#catchUp())
  }

  async #catchUp(): Promise<void> {
    if (this.#isClosed || this.#isBusy || this.#child.state !== 'apart') return
    if (!this.#options.isReady()) {
      this.#catchUpLater()
      return
    }
    this.#isBusy = true
    try {
      const outcome = await this.#child.catchUp()
      if (outcome.kind === 'live' || this.#isClosed) return
      this.#options.progress.failed(outcome.why)
      this.#delay = Math.min(most, this.#delay * 2)
      this.#catchUpLater()
    } catch (error) {
      if (this.#isClosed) return
      this.#options.progress.failed((error as Error).message)
      this.#catchUpLater()
    } finally {
      this.#isBusy = false
      this.#options.changed()
    }
  }

  async #rotate(): Promise<void> {
    if (this.#isRotating || this.#child.state !== 'live' || !this.#options.isReady()) return
    this.#isRotating = true
    try {
      const outcome = await this.#child.rotate()
      if (outcome.kind === 'live') this.#delay = first
    } catch {
      // what is amiss, the children are lost with
    } finally {
      this.#isRotating = false
    }
  }
}
