import type { RequestOptions, Watch, Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import type { DevicePaths } from '../device-paths.js'

/** Whether the device at some paths is still the one that a claim is about. */
export type ClaimState =
  /** It is. */
  | 'held'
  /** It was removed, and nothing stands there. */
  | 'gone'
  /** It was removed or overwritten, and what stands there is somebody else's. */
  | 'replaced'
  /** Nobody can tell: the answer to the commit that was to write it never came. */
  | 'unknown'

/** Somebody else touched a device in the middle of a transaction about it: look again. */
export class ClaimDisturbed extends Error {}

/**
 * Knows a device again. No node marks whose a device is, and an equal one may stand at its paths a moment later; but every
 * removal and every attachment writes the link to the backend, and a watch on that node reports each of them, in order
 * with the answers to our requests. So a device is ours while nobody but us has touched its link since we wrote it, or
 * first saw it.
 */
export class DeviceClaim implements Disposable {
  readonly paths: DevicePaths
  readonly #store: Xenstore
  readonly #watch: Watch
  readonly #lost = new AbortController()
  #events = 0
  /** Why no more events come. */
  #deaf = false
  /** How many events are accounted for: those before the device was seen, and our own commit's. */
  #accounted = Number.POSITIVE_INFINITY
  /** Whether our commit went through; a function, as a late answer may still tell. */
  #committed: () => boolean | undefined = () => true

  /** Begins to listen: nothing that happens to the device from the next request on is missed. */
  constructor(store: Xenstore, paths: DevicePaths, { signal }: RequestOptions = {}) {
    this.paths = paths
    this.#store = store
    this.#watch = store.watch(linkOf(paths), { signal })
    this.#count()
  }

  /** Settled when the daemon has taken the watch, or refused it. */
  get ready(): Promise<void> {
    return this.#watch.ready
  }

  /** Aborted as soon as somebody else touches the device. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Reads the device, again where it changed meanwhile: the one that was read is the one that is meant from now on. */
  async see<Value>(read: () => Promise<Value>): Promise<Value> {
    await this.ready
    for (;;) {
      await deliver()
      const before = this.#events
      const value = await read()
      await deliver()
      if (this.#events !== before) continue
      this.#accounted = before
      return value
    }
  }

  /** Called in each attempt of our own transaction, after it has found no device there: the commit's event is ours. */
  async expectCommit(): Promise<void> {
    await deliver()
    this.#accounted = this.#events + 1
  }

  /** No answer to the commit came in time. */
  doubt(committed: () => boolean | undefined): void {
    this.#committed = committed
  }

  /**
   * Whether the device is still ours. In a transaction this holds until its end: the link was read there, so another's change
   * makes the commit fail.
   */
  async check(nodes: XenstoreNodes, backend: string, request?: RequestOptions): Promise<ClaimState> {
    const [link] = await Promise.all([
      nodes.readIfPresent(linkOf(this.paths), request),
      // for oxenstored, which commits after another's change if all answers would be the same: this one seldom is
      nodes.readIfPresent(`${backend}/state`, request),
    ])
    await deliver()
    const committed = this.#committed()
    const isOurs = committed !== false && this.#events <= this.#accounted && link === backend
    if (!isOurs) return this.#whatStands(request)
    return committed === undefined || this.#deaf ? 'unknown' : 'held'
  }

  /**
   * The last thing before a transaction's end: oxenstored replays a transaction on another's changes, and takes it where all
   * answers are the same, as an equal device's are.
   *
   * @throws ClaimDisturbed where somebody else touched the device since `check`
   */
  async checkUndisturbed(): Promise<void> {
    await deliver()
    if (this.#events > this.#accounted) throw new ClaimDisturbed()
  }

  /** Asked outside of the transaction, which may still show the device as it was. */
  async #whatStands(request?: RequestOptions): Promise<'gone' | 'replaced'> {
    const link = await this.#store.readIfPresent(linkOf(this.paths), request)
    return link === undefined ? 'gone' : 'replaced'
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
  }

  async #count(): Promise<void> {
    try {
      for await (const _ of this.#watch) {
        this.#events++
        if (this.#events > this.#accounted) this.#lost.abort()
      }
    } catch {
      // the connection is over, or the watch was refused: whoever sends requests gets to know why
    }
    this.#deaf = true
  }
}

const linkOf = ({ libxl }: DevicePaths): string => `${libxl}/backend`

/** Lets the events through that came before an answer. */
const deliver = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
