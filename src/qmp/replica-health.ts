import { setTimeout as delay } from 'node:timers/promises'
import { printable } from '../printable.js'
import type { Qmp, QmpEvents } from './qmp.js'
import { QmpError } from './qmp-error.js'

/** Something that a quorum could not do with one of its children: the guest was told that all is well. */
export interface BadChild {
  /** The child's node. */
  nodeName: string
  /** read, write or flush. */
  operation: string
  /** QEMU's words. */
  error: string
}

/** What a child failed in, for people. */
export const reportWhy = ({ nodeName, operation, error }: BadChild): string =>
  `${printable(operation)} of ${printable(nodeName)} failed (${printable(error)})`

/** QEMU reports once in this time, and a little later, in milliseconds. */
const reportEvery = 1100
/** More nodes than a QEMU has disks are not remembered. */
const mostChildren = 4096

/**
 * Listens, from when it is made, for what a quorum's children fail in. QEMU reports it once and goes on as if nothing were: a
 * replica that missed a write holds no checkpoint any more. QEMU says it before it answers the next command.
 */
export class ReplicaHealth implements Disposable {
  readonly #events: QmpEvents
  readonly #bad = new Map<string, BadChild>()
  #lost: QmpError | undefined
  #last = Number.NEGATIVE_INFINITY
  /** Called with each child's first failure. */
  onBad: ((child: BadChild) => void) | undefined

  constructor(primary: Qmp) {
    this.#events = primary.events({ names: ['QUORUM_REPORT_BAD'], capacity: 4096 })
    void this.#listen()
  }

  /** The first failure of a child, by its node's name. */
  bad(nodeName: string): BadChild | undefined {
    return this.#bad.get(nodeName)
  }

  /**
   * Resolves when all that was reported until now has come: QEMU holds back what follows a report within a second, and the replicas
   * of a second attempt have the names of the first.
   */
  async settle(): Promise<void> {
    const left = this.#last + reportEvery - performance.now()
    if (left > 0) await delay(left)
  }

  /** Forgets what was: the replicas are new. */
  clear(): void {
    this.#bad.clear()
  }

  /** Why nothing can be said any more: events were lost, or the connection. */
  get lost(): QmpError | undefined {
    return this.#lost
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]()
  }

  async #listen(): Promise<void> {
    try {
      for await (const { data } of this.#events) {
        const { 'node-name': nodeName, type, error } = data
        if (typeof nodeName !== 'string') continue
        this.#last = performance.now()
        if (this.#bad.has(nodeName)) continue
        const bad = { nodeName, operation: String(type), error: typeof error === 'string' ? error : '' }
        if (this.#bad.size < mostChildren) this.#bad.set(nodeName, bad)
        this.onBad?.(bad)
      }
      this.#lost = new QmpError('EBADF', 'the connection was closed')
    } catch (error) {
      this.#lost = error as QmpError
    }
  }
}
