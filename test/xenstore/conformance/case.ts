import type { Test } from 'tap'
import type { Duplex } from '#xenlight/xenstore/duplex.js'
import { type Watch, type WatchOptions, type Xenstore, XenstoreError } from '#xenlight/xenstore/index.js'
import { RawConnection } from './raw-connection.js'
import type { Subject, SubjectKind } from './subject.js'

/** What a case has to work with. All that it opens is closed after it. */
export class Peers {
  /** A connection that no other case has used. */
  readonly store: Xenstore
  /** A path that no other case uses; there is no such node yet. */
  readonly path: string
  readonly #subject: Subject
  readonly #stores: Xenstore[] = []
  readonly #raw: RawConnection[] = []
  readonly #differences: string[]

  constructor(subject: Subject, store: Xenstore, path: string, differences: string[]) {
    this.#subject = subject
    this.#stores.push(store)
    this.#differences = differences
    this.store = store
    this.path = path
  }

  get kind(): SubjectKind {
    return this.#subject.kind
  }

  /** One more connection of domain 0. */
  async another(): Promise<Xenstore> {
    return this.#keep(await this.#subject.connect())
  }

  /** A domid that the hypervisor knows and no other case uses. */
  newDomid(): number {
    return nextDomid++
  }

  /** Introduces a domain; its own connection. */
  async guest(): Promise<{ domid: number; store: Xenstore }> {
    const domid = await this.introduced()
    return { domid, store: this.#keep(await this.#subject.connect(domid)) }
  }

  /** Bytes without a client; the case closes it. */
  duplex(): Promise<Duplex> {
    return this.#subject.duplex()
  }

  /** Introduces a domain that says nothing; its number. */
  async introduced(): Promise<number> {
    const domid = this.newDomid()
    await this.store.introduce({ domid, gfn: 1000 + domid, eventChannel: 1 })
    return domid
  }

  async raw(domid = 0): Promise<RawConnection> {
    const raw = new RawConnection(await this.#subject.duplex(domid))
    this.#raw.push(raw)
    return raw
  }

  /** What to expect where the stores truly differ, and why they do. */
  differs<Value>(standard: Value, others: Partial<Record<SubjectKind, Value>>, why: string): Value {
    if (!Object.hasOwn(others, this.kind)) return standard
    this.#differences.push(`${JSON.stringify(others[this.kind])}, not ${JSON.stringify(standard)}: ${why}`)
    return others[this.kind]!
  }

  /** Closes what was opened; what connections still had under way, which is nothing. */
  async close(): Promise<string[]> {
    const left: string[] = []
    for (const store of this.#stores) {
      // behind what the case did not wait for
      await store.read('tool').catch(() => {})
      const { inFlight, queued, watches, transactions } = store.statistics
      const rest = Object.entries({ inFlight, queued, watches, transactions }).filter(([, count]) => count > 0)
      left.push(...rest.map(([what, count]) => `${count} ${what}`))
      await store.close()
    }
    for (const raw of this.#raw) raw.close()
    return left
  }

  #keep(store: Xenstore): Xenstore {
    this.#stores.push(store)
    return store
  }
}

let nextDomid = 11

/** Small cases by what they show. */
export type Cases = Readonly<Record<string, (t: Test, peers: Peers) => Promise<void>>>

/** The code of the XenstoreError with which it fails; what it gives where it does not fail. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof XenstoreError) return error.code
    throw error
  }
}

/** A watch whose events are looked at some at a time. */
export class Watching implements Disposable {
  readonly watch: Watch
  readonly #store: Xenstore
  #next: Promise<IteratorResult<{ path: string }, undefined>> | undefined

  private constructor(store: Xenstore, watch: Watch) {
    this.#store = store
    this.watch = watch
  }

  /** Sets it, and takes the first event, which is of the watched path itself. */
  static async start(t: Test, store: Xenstore, path: string, options?: WatchOptions): Promise<Watching> {
    const watching = new Watching(store, store.watch(path, options))
    await watching.watch.ready
    t.strictSame(await watching.paths(), [path], `the first event of a watch of ${path}`)
    return watching
  }

  /** The paths of the events since the last time. Those of changes already answered have come before this request's answer. */
  async paths(): Promise<string[]> {
    await this.#store.getDomainPath(0)
    const found: string[] = []
    for (;;) {
      this.#next ??= this.watch.next()
      const result = await Promise.race([
        this.#next,
        new Promise<undefined>(resolve => setImmediate(resolve, undefined)),
      ])
      if (result === undefined) return found
      this.#next = undefined
      if (result.done) return [...found, 'end']
      found.push(result.value.path)
    }
  }

  [Symbol.dispose](): void {
    this.#next?.catch(() => {})
    this.watch[Symbol.dispose]()
  }
}
