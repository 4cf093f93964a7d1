import { shown } from '../check-argument.js'
import type { Deadline } from '../link/deadline.js'
import { watchPathProblem } from './check-path.js'
import type { Connection } from './connection.js'
import { limit } from './limit.js'
import { Malformed } from './malformed.js'
import { requestError } from './request-error.js'
import { type Call, prepare } from './request-kind.js'
import { getFeature } from './requests/feature.js'
import { unwatch, watch } from './requests/watch.js'
import { BufferedWatch } from './watch.js'
import type { WatchOptions } from './xenstore.js'
import type { XenstoreError } from './xenstore-error.js'

/** The feature bit of a daemon that takes a depth (XENSTORE_SERVER_FEATURE_WATCHDEPTH). */
const watchDepth = 4

/** The watches of one connection, by their tokens. */
export class WatchRegistry {
  readonly #connection: Connection
  readonly #watches = new Map<number, BufferedWatch>()
  /** Those for which a WATCH is on its way or answered. */
  readonly #sent = new Set<number>()
  #lastToken = 0
  /** Whether the daemon takes a depth; asked once, when a watch has one. */
  #takesDepth: Promise<boolean> | boolean | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get size(): number {
    return this.#watches.size
  }

  /** @throws XenstoreError EINVAL, ENAMETOOLONG */
  watch(path: string, options: WatchOptions): BufferedWatch {
    check(path, options)
    const token = ++this.#lastToken
    let bound: Deadline | undefined
    const release = () => {
      bound?.[Symbol.dispose]()
      // behind the WATCH, so that it does not matter whether that is answered
      if (this.#watches.delete(token) && this.#sent.delete(token)) this.#unwatch(path, token)
    }
    const watch = new BufferedWatch(path, options, release)
    bound = limit({ signal: options.signal }, ({ code, why, cause }) => {
      watch.endNow(requestError('WATCH', path, code, why, cause))
    })
    if (watch.isEnded) return watch
    this.#watches.set(token, watch)
    const failed = (error: XenstoreError) => {
      this.#sent.delete(token)
      watch.end(error)
    }
    const send = (depth: number | undefined) => {
      if (watch.isEnded) return
      this.#sent.add(token)
      this.#connection.request(this.#call(path, token, depth)).then(() => watch.taken(), failed)
    }
    this.#depthToSend(options.depth, send)
    return watch
  }

  /** An event from the daemon. @throws Malformed where it is of no watch that ever was */
  event(path: string, token: string): void {
    const number = /^[1-9][0-9]{0,15}$/.test(token) ? Number(token) : Number.POSITIVE_INFINITY
    if (number > this.#lastToken) throw new Malformed(`an event for no watch: token ${JSON.stringify(token)}`)
    this.#watches.get(number)?.changed(path)
  }

  /**
   * Ends every watch sent by now, when the daemon has none of them any more. One that is not sent yet will be set after that,
   * or fail by itself.
   */
  snapshot(): (error: XenstoreError) => void {
    const watches = [...this.#watches].filter(([token]) => this.#sent.has(token))
    return error => {
      for (const [token, watch] of watches) {
        this.#sent.delete(token)
        if (!this.#watches.delete(token)) continue
        watch.end(requestError('WATCH', watch.path, error.code, error.message, error))
      }
    }
  }

  #depthToSend(depth: number | undefined, send: (depth: number | undefined) => void): void {
    if (depth === undefined) {
      send(undefined)
      return
    }
    this.#takesDepth ??= this.#askDepth()
    if (typeof this.#takesDepth === 'boolean') send(this.#takesDepth ? depth : undefined)
    else this.#takesDepth.then(takes => send(takes ? depth : undefined))
  }

  async #askDepth(): Promise<boolean> {
    try {
      const features = await this.#connection.request(prepare(getFeature, 0, [undefined]))
      this.#takesDepth = (features & watchDepth) !== 0
    } catch {
      this.#takesDepth = false
    }
    return this.#takesDepth
  }

  #call(path: string, token: number, depth: number | undefined): Call<void> {
    const call = prepare(watch, 0, [path, String(token), depth])
    call.late = () => this.#unwatch(path, token)
    return call
  }

  #unwatch(path: string, token: number): void {
    if (this.#connection.over !== undefined) return
    const call = prepare(unwatch, 0, [path, String(token)])
    this.#connection.request(call, { timeout: Number.POSITIVE_INFINITY }).catch(() => {})
  }
}

function check(path: string, { depth, capacity, overflow }: WatchOptions): void {
  const problem = watchPathProblem(path)
  if (problem !== undefined) throw requestError('WATCH', path, problem.code, problem.message)
  const refuse = (why: string) => requestError('WATCH', path, 'EINVAL', why)
  if (depth !== undefined && !(Number.isInteger(depth) && depth >= 0 && depth <= 0x7fff_ffff)) {
    throw refuse(`a depth is a whole number from 0, not ${shown(depth)}`)
  }
  if (capacity !== undefined && (typeof capacity !== 'number' || !(capacity >= 1)))
    throw refuse(`a capacity is at least 1, not ${shown(capacity)}`)
  if (overflow !== undefined && overflow !== 'merge' && overflow !== 'fail') {
    throw refuse(`overflow is 'merge' or 'fail', not ${shown(overflow)}`)
  }
}
