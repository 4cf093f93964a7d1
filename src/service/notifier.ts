import { printable } from '../printable.js'
import type { Service } from './service.js'

export interface NotifierOptions {
  /** Sends assignments (`READY=1`) together. Settles when the manager has them, or never will. */
  send(assignments: readonly string[]): Promise<void>
  /** The monotonic clock, in microseconds. */
  uptime(): bigint
  /** How often a sign of life is wanted, in milliseconds; undefined for never. */
  watchdog: number | undefined
  /** Calls every so many milliseconds. @returns what ends that */
  every(milliseconds: number, call: () => void): () => void
}

/** How long a status may be, in characters. */
const statusAtMost = 500

/** Tells a manager, one message at a time. While one is under way the others wait: states in their order, of statuses the newest. */
export class Notifier implements Service {
  readonly #options: NotifierOptions
  readonly #states: string[][] = []
  #isStopping = false
  #status: string | undefined
  #isSignDue = false
  #sending: Promise<void> | undefined
  #unwatch: (() => void) | undefined

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  ready(): void {
    const { watchdog, every } = this.#options
    if (watchdog !== undefined)
      this.#unwatch ??= every(watchdog, () => {
        this.#isSignDue = true
        this.#sendSoon()
      })
    this.#push(['READY=1'])
  }

  reloading(): void {
    // one that is over before the manager heard of it is this one
    if (this.#states.at(-1)?.[0] === 'READY=1' && this.#states.at(-2)?.[0] === 'RELOADING=1') this.#states.splice(-2)
    this.#push(['RELOADING=1', `MONOTONIC_USEC=${this.#options.uptime()}`])
  }

  stopping(): void {
    this.#states.length = 0
    this.#push(['STOPPING=1'])
    this.#isStopping = true
  }

  status(text: string): void {
    // a line feed would begin another assignment
    this.#status = `STATUS=${printable(text).slice(0, statusAtMost)}`
    this.#sendSoon()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch?.()
    this.#isSignDue = false
    await this.#sending
  }

  #push(state: string[]): void {
    if (this.#isStopping) return
    this.#states.push(state)
    this.#sendSoon()
  }

  #sendSoon(): void {
    // what is said in one go is sent in one
    this.#sending ??= Promise.resolve().then(() => this.#sendAll())
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#take(); next.length > 0; next = this.#take()) await this.#options.send(next).catch(() => {})
    this.#sending = undefined
  }

  #take(): string[] {
    const all = [...(this.#states.shift() ?? [])]
    if (this.#status !== undefined) all.push(this.#status)
    if (this.#isSignDue) all.push('WATCHDOG=1')
    this.#status = undefined
    this.#isSignDue = false
    return all
  }
}
