import { setTimeout as pause } from 'node:timers/promises'
import { onAbort } from '../../link/on-abort.js'
import { printable } from '../../printable.js'
import { connectQmp } from '../../qmp/node/connect-qmp.js'
import type { Qmp } from '../../qmp/qmp.js'
import type { Monitors } from '../cycles/monitors.js'

export interface QemuLinkOptions {
  /** The path of QEMU's monitor. */
  qmp: string
  /** Of a second one. */
  urgent?: string | undefined
  /** There is a connection, or none any more. */
  changed(): void
}

/** How long it waits before it connects again, in milliseconds: twice as long each time. */
const first = 100
const most = 2000
/** How long a connection may take to be made, in milliseconds. */
const connectTimeout = 15_000

/** Keeps a connection to a QEMU's monitors: there is one, or it is being sought. */
export class QemuLink implements AsyncDisposable {
  readonly #options: QemuLinkOptions
  readonly #over = new AbortController()
  readonly #done: Promise<void>
  #monitors: Monitors | undefined
  #why: string | undefined

  constructor(options: QemuLinkOptions) {
    this.#options = options
    this.#done = this.#keep()
  }

  /** Another one for each connection. */
  get monitors(): Monitors | undefined {
    return this.#monitors
  }

  /** Why there is none; undefined where there is one, or nothing has come of the first attempt yet. */
  get why(): string | undefined {
    return this.#why
  }

  /** Ends it; settles when nothing more is under way. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the agent is closed'))
    await this.#done
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #keep(): Promise<void> {
    const { signal } = this.#over
    // who has made it is to have it in hand before it hears of anything
    await Promise.resolve()
    for (let delay = first; !signal.aborted; delay = Math.min(most, delay * 2)) {
      const isNew = await this.#once()
      if (signal.aborted) return
      if (isNew) delay = first
      await pause(delay, undefined, { signal }).catch(() => {})
    }
  }

  /** One connection, or one that could not be made. @returns whether there was one */
  async #once(): Promise<boolean> {
    const { qmp: path, urgent, changed } = this.#options
    const opened: Qmp[] = []
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(connectTimeout)])
      for (const one of urgent === undefined ? [path] : [path, urgent])
        opened.push(await connectQmp({ path: one }, { signal }))
      const [qmp, second] = opened
      this.#monitors = { qmp: qmp!, urgent: second }
      this.#why = undefined
      changed()
      let unlisten = () => {}
      const over = new Promise<void>(resolve => {
        if (this.#over.signal.aborted) resolve()
        else unlisten = onAbort(this.#over.signal, resolve)
      })
      await Promise.race([over, ...opened.map(({ closed }) => closed)])
      unlisten()
      this.#why = `QEMU's monitor at ${printable(path)} is gone: start the guest again, and it is protected again`
      return true
    } catch (error) {
      this.#why = (error as Error).message
      return false
    } finally {
      this.#monitors = undefined
      await Promise.all(opened.map(one => one.close()))
      if (!this.#over.signal.aborted) changed()
    }
  }
}
