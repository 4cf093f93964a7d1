import { setTimeout as pause } from 'node:timers/promises'
import { printable } from '../../printable.js'
import type { NodeStatus } from '../machine/node-status.js'
import type { Arbiter } from './arbiter.js'

/** How long it waits before it asks again, in milliseconds: at first, and at most. */
const retryDelays = { first: 200, most: 5000 }
/** How long an answer may take, in milliseconds. */
const answerTimeout = 120_000

export interface ArbitratedNode {
  status(): Pick<NodeStatus, 'role' | 'connection' | 'promotion' | 'asksAlone' | 'fencedBy'>
  goOnAlone(): Promise<void>
}

type Question = 'alone' | 'equal'

/**
 * Asks an arbiter what the node's state asks for, one question at a time. It goes by the state when it asks, not by what has changed: an
 * answer that comes late is never followed by the question of an earlier state.
 */
export class AskedArbiter {
  readonly #arbiter: Arbiter
  readonly #node: ArbitratedNode
  readonly #over = new AbortController()
  readonly #changed: () => void
  /** What the arbiter knows; undefined where that is not known. */
  #known: Question | undefined
  #isAsking = false
  /** Ends the waiting before a question is asked again, where it is no more the question. */
  #wake: (() => void) | undefined
  #why = ''

  /** @param changed called when `why` has changed */
  constructor(arbiter: Arbiter, node: ArbitratedNode, changed: () => void) {
    this.#arbiter = arbiter
    this.#node = node
    this.#changed = changed
  }

  /** Why it does not let the node go on alone; '' while it was not asked, or does. */
  get why(): string {
    return this.#why
  }

  /** The node may have changed. */
  look(): void {
    if (this.#isAsking) {
      this.#wake?.()
      return
    }
    if (this.#question() === undefined) return
    this.#isAsking = true
    void this.#ask().finally(() => {
      this.#isAsking = false
      this.look()
    })
  }

  close(): void {
    this.#over.abort(new Error('the node is closed'))
  }

  #question(): Question | undefined {
    const { role, connection, asksAlone, fencedBy } = this.#node.status()
    if (this.#over.signal.aborted || role !== 'primary' || fencedBy !== undefined) {
      this.#known = undefined
      return undefined
    }
    if (asksAlone) return 'alone'
    return connection === 'equal' && this.#known !== 'equal' ? 'equal' : undefined
  }

  async #ask(): Promise<void> {
    let delay = retryDelays.first
    for (let question = this.#question(); question !== undefined; question = this.#question()) {
      try {
        await this.#put(question)
        delay = retryDelays.first
        this.#say('')
      } catch (error) {
        this.#say(printable((error as Error).message))
        await this.#wait(delay, question)
        delay = Math.min(retryDelays.most, delay * 2)
      }
    }
  }

  async #put(question: Question): Promise<void> {
    const { promotion } = this.#node.status()
    const limits = { timeout: answerTimeout, signal: this.#over.signal }
    this.#known = undefined
    if (question === 'equal') {
      await this.#arbiter.isEqual(promotion, limits)
      this.#known = 'equal'
      return
    }
    await this.#arbiter.mayGoOnAlone(promotion, limits)
    this.#known = 'alone'
    // the answer is for the promotion that it was asked of
    if (this.#node.status().promotion === promotion && this.#question() === 'alone') await this.#node.goOnAlone()
  }

  async #wait(delay: number, question: Question): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => this.#question() !== question && woken.abort()
    const signal = AbortSignal.any([woken.signal, this.#over.signal])
    await pause(delay, undefined, { signal }).catch(() => {})
    this.#wake = undefined
  }

  #say(why: string): void {
    if (why === this.#why) return
    this.#why = why
    this.#changed()
  }
}
