import { EventQueue } from '../link/event-queue.js'
import { requestError } from './request-error.js'
import { isSpecialPath } from './special-path.js'
import type { Watch, WatchEvent, WatchOptions } from './xenstore.js'

/** A watch as its reader has it: the events that came and were not read yet, and its end. */
export class BufferedWatch extends EventQueue<WatchEvent> implements Watch {
  readonly path: string
  readonly ready: Promise<void>
  readonly #depth: number
  #resolveReady!: () => void
  #rejectReady!: (error: Error) => void

  /** `release` is called once, at its end. */
  constructor(path: string, { depth, capacity, overflow }: WatchOptions, release: () => void) {
    super({
      capacity,
      overflow,
      keyOf: event => event.path,
      merged: () => ({ path, overflowed: true }),
      overflowError: most =>
        requestError('WATCH', path, 'EOVERFLOW', `more than ${most} paths changed before they were read`),
      ended: error => {
        this.#rejectReady(error ?? requestError('WATCH', path, 'EBADF', 'the watch was left'))
        release()
      },
    })
    this.path = path
    // what comes of a special path has its own idea of depth
    this.#depth = depth === undefined || isSpecialPath(path) ? Number.POSITIVE_INFINITY : depth
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.ready.catch(() => {})
  }

  /** The daemon has taken it. */
  taken(): void {
    this.#resolveReady()
  }

  /** Something changed at a path. */
  changed(path: string): void {
    if (depthBelow(this.path, path) <= this.#depth) this.push({ path, overflowed: false })
  }
}

/** How many steps below the watched path another one is: 0 for itself, and for what is not below it at all. */
function depthBelow(watched: string, path: string): number {
  const start = watched === '/' ? '/' : `${watched}/`
  if (path === watched || !path.startsWith(start)) return 0
  let depth = 1
  for (let at = path.indexOf('/', start.length); at !== -1; at = path.indexOf('/', at + 1)) depth++
  return depth
}
