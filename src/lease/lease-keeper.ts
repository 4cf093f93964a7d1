import { isLeaseError, LeaseError } from './lease-error.js'
import type { Grant, LeaseStore } from './lease-store.js'
import { leaseMargin, renewInterval, retryInterval } from './lease-time.js'

export interface LeaseKeeperOptions {
  /** How long before its end the lease counts as lost, in milliseconds: `ttl / 10 + 500` at least, and by default. */
  margin?: number | undefined
}

export type KeeperState = 'held' | 'lost' | 'released'

/**
 * Keeps a lease that was acquired: renews it, and says in time that it is lost. `isHeld` is worked out of the clock each time, so a process that was
 * stopped sees at once that its time is over. Ask it before each step that only the holder may do, and hand the epoch to the resource: between the
 * question and the step the process may be stopped, too.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #store: LeaseStore
  readonly #margin: number
  readonly #ended = new AbortController()
  #grant: Grant
  #state: KeeperState = 'held'
  #renewals = 0
  #problem: Error | undefined
  #next: Disposable | undefined
  #end: Disposable | undefined
  /** Aborts the renewal that is under way. */
  #trying: AbortController | undefined
  #released: Promise<void> | undefined

  /** `holdLease` makes one. @internal */
  constructor(store: LeaseStore, grant: Grant, { margin = leaseMargin(grant.ttl) }: LeaseKeeperOptions = {}) {
    this.#store = store
    this.#margin = margin
    this.#grant = grant
    this.#watchEnd()
    this.#renewIn(grant.since + renewInterval(grant.ttl) - store.clock.uptime())
  }

  get name(): string {
    return this.#grant.name
  }

  get holder(): string {
    return this.#grant.holder
  }

  /** The fencing token. */
  get epoch(): number {
    return this.#grant.epoch
  }

  /** What `Catalogue` and `LeaseStore` ask for. */
  get grant(): Grant {
    return this.#grant
  }

  get state(): KeeperState {
    return this.#state === 'held' && this.remaining() <= 0 ? 'lost' : this.#state
  }

  /** How often it was renewed. */
  get renewals(): number {
    return this.#renewals
  }

  /** Why the last renewal failed; undefined where it did not. */
  get problem(): Error | undefined {
    return this.#problem
  }

  /**
   * Aborted soon after the lease is lost, with a LeaseError, or when it is released. It comes from a timer, which a busy process calls late: `isHeld`
   * knows first.
   */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** How long this holder has it without another renewal, in milliseconds. */
  remaining(): number {
    if (this.#state !== 'held') return 0
    return Math.max(0, this.#deadline - this.#store.clock.uptime())
  }

  /** Whether this holder has it still. Once it has not, it never has again: acquire anew, with a new epoch. */
  isHeld(): boolean {
    return this.remaining() > 0
  }

  /** @throws LeaseError lost where `isHeld` is false */
  check(): void {
    if (!this.isHeld()) throw lost(this.#grant, this.#problem)
  }

  /** Gives it up. Stop what only the holder may do before: another one may begin at once. @throws LeaseError; the lease ends then by itself */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    // it ends by itself where nobody answers
    return this.release().catch(() => {})
  }

  /** Counted from when the request was sent, as it may have been done in that very moment. */
  get #deadline(): number {
    return this.#grant.since + this.#grant.ttl - this.#margin
  }

  async #release(): Promise<void> {
    const wasHeld = this.isHeld()
    this.#stop('released', undefined)
    // of one that is lost somebody may believe still that it is held: it ends by itself
    if (wasHeld) await this.#store.release(this.#grant)
  }

  #renewIn(time: number): void {
    this.#next = this.#store.clock.after(Math.max(0, time), () => this.#renew())
  }

  #renew(): void {
    if (!this.isHeld()) {
      this.#lose()
      return
    }
    const { ttl } = this.#grant
    const trying = new AbortController()
    const limit = this.#store.clock.after(renewInterval(ttl), () => trying.abort())
    this.#trying = trying
    const isOver = () => this.#trying !== trying || this.#state !== 'held'
    const answered = (settle: () => void) => {
      limit[Symbol.dispose]()
      if (isOver()) return
      this.#trying = undefined
      settle()
    }
    // one that takes no notice of its signal is not waited for
    trying.signal.addEventListener('abort', () =>
      answered(() =>
        this.#failed(new LeaseError('unreachable', `no answer within ${Math.ceil(renewInterval(ttl))} ms`)),
      ),
    )
    this.#store.renew(this.#grant, { signal: trying.signal }).then(
      grant => answered(() => this.#renewed(grant)),
      error => answered(() => this.#failed(error as Error)),
    )
  }

  #renewed(grant: Grant): void {
    // too late: somebody may have been told that it is lost
    if (!this.isHeld()) {
      this.#lose()
      return
    }
    this.#grant = grant
    this.#renewals++
    this.#problem = undefined
    this.#watchEnd()
    this.#renewIn(grant.since + renewInterval(grant.ttl) - this.#store.clock.uptime())
  }

  #failed(error: Error): void {
    this.#problem = error
    if (isLeaseError(error, 'lost')) this.#lose()
    else this.#renewIn(retryInterval(this.#grant.ttl))
  }

  #watchEnd(): void {
    this.#end?.[Symbol.dispose]()
    this.#end = this.#store.clock.after(this.remaining(), () => {
      if (this.isHeld()) this.#watchEnd()
      else this.#lose()
    })
  }

  #lose(): void {
    this.#stop('lost', lost(this.#grant, this.#problem))
  }

  #stop(state: 'lost' | 'released', reason: LeaseError | undefined): void {
    if (this.#state !== 'held') return
    this.#state = state
    this.#next?.[Symbol.dispose]()
    this.#end?.[Symbol.dispose]()
    this.#trying?.abort()
    this.#ended.abort(reason)
  }
}

const lost = ({ name, epoch }: Grant, cause: Error | undefined): LeaseError => {
  const why = cause === undefined ? 'it was not renewed in time' : cause.message
  return new LeaseError('lost', `the lease ${name} of epoch ${epoch} is lost: ${why}`, { cause })
}
