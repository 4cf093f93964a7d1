import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { ClusterView } from '../cluster-view.js'

/** What is served, and in words. */
export interface ServedState extends ClusterView {
  state: string
}

/** How often it says that it is there, in milliseconds. */
export const beatInterval = 1000

/** Writes it, and when; whoever reads has the old one or the new one. @throws the system's error */
export function writeState(path: string, { monitor, score, promotion, state }: ServedState): void {
  const words = { pid: process.pid, beat: Math.floor(uptime()), monitor, score: score ?? '', promotion, state }
  const text = Object.entries(words).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(`${path}.new`, text.join(''), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/**
 * A file that says what is served, for programs that have no time to ask: a line a word, `KEY=VALUE`. It is written anew whenever something
 * has changed, and every second: `beat` is the system's uptime then, in seconds, so that a process that hangs is seen.
 */
export class StateFile implements Disposable {
  readonly #path: string
  readonly #view: () => ServedState
  readonly #failed: (error: Error) => void
  readonly #timer: ReturnType<typeof setInterval>
  #due: NodeJS.Immediate | undefined
  #hasFailed = false

  /** @param failed called where it cannot be written; the next time only after it could */
  constructor(path: string, view: () => ServedState, failed: (error: Error) => void) {
    this.#path = path
    this.#view = view
    this.#failed = failed
    this.#timer = setInterval(() => this.#write(), beatInterval)
    this.#write()
  }

  /** Something may have changed: it is written anew, once for all that happens now. */
  changed(): void {
    this.#due ??= setImmediate(() => {
      this.#due = undefined
      this.#write()
    })
  }

  #write(): void {
    try {
      writeState(this.#path, this.#view())
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed) this.#failed(error as Error)
      this.#hasFailed = true
    }
  }

  /** The file goes with what is served. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    clearImmediate(this.#due)
    rmSync(this.#path, { force: true })
  }
}
