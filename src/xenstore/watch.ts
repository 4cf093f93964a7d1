import { requestError } from './request-error.js'
import { isSpecialPath } from './special-path.js'
import type { Watch, WatchEvent, WatchOptions } from './xenstore.js'
import type { XenstoreError } from './xenstore-error.js'

interface Reader {
  resolve(result: IteratorResult<WatchEvent, undefined>): void
  reject(error: XenstoreError): void
}

/** A watch as its reader has it: the events that came and were not read yet, and its end. */
export class BufferedWatch implements Watch {
  readonly path: string
  readonly ready: Promise<void>
  readonly #depth: number
  readonly #capacity: number
  readonly #overflow: 'merge' | 'fail'
  readonly #release: () => void
  #resolveReady!: () => void
  #rejectReady!: (error: XenstoreError) => void
  /** The paths to tell of, in order; those before `#read` are told. */
  #paths: string[] = []
  #read = 0
  readonly #waiting = new Set<string>()
  #overflowed = false
  readonly #readers: Reader[] = []
  #ended = false
  #error: XenstoreError | undefined

  /** `release` is called once, at its end. */
  constructor(path: string, { depth, capacity = 1024, overflow = 'merge' }: WatchOptions, release: () => void) {
    this.path = path
    // what comes of a special path has its own idea of depth
    this.#depth = depth === undefined || isSpecialPath(path) ? Number.POSITIVE_INFINITY : depth
    this.#capacity = capacity
    this.#overflow = overflow
    this.#release = release
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.ready.catch(() => {})
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The daemon has taken it. */
  taken(): void {
    this.#resolveReady()
  }

  /** An event for it. */
  push(path: string): void {
    if (this.#ended || this.#overflowed || this.#waiting.has(path) || depthBelow(this.path, path) > this.#depth) return
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader.resolve({ done: false, value: { path, overflowed: false } })
    } else if (this.#waiting.size < this.#capacity) {
      this.#paths.push(path)
      this.#waiting.add(path)
    } else if (this.#overflow === 'merge') {
      this.#drop()
      this.#overflowed = true
    } else {
      const why = `more than ${this.#capacity} paths changed before they were read`
      this.endNow(requestError('WATCH', this.path, 'EOVERFLOW', why))
    }
  }

  /** No more events. What is buffered can still be read, and then the error, if there is one. */
  end(error?: XenstoreError): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#rejectReady(error ?? requestError('WATCH', this.path, 'EBADF', 'the watch was left'))
    this.#release()
    for (const reader of this.#readers.splice(0)) this.#answer(reader)
  }

  /** The same, leaving nothing to read but the error. */
  endNow(error?: XenstoreError): void {
    this.#drop()
    this.end(error)
  }

  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject }
      if (this.#ended || this.#overflowed || this.#read < this.#paths.length) this.#answer(reader)
      else this.#readers.push(reader)
    })
  }

  return(): Promise<IteratorResult<WatchEvent, undefined>> {
    this[Symbol.dispose]()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.dispose](): void {
    this.endNow()
    this.#error = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
    return Promise.resolve()
  }

  [Symbol.asyncIterator](): Watch {
    return this
  }

  /** Answers a reader with what there is: an event, the error, or the end. */
  #answer({ resolve, reject }: Reader): void {
    if (this.#overflowed) {
      this.#overflowed = false
      resolve({ done: false, value: { path: this.path, overflowed: true } })
    } else if (this.#read < this.#paths.length) {
      resolve({ done: false, value: { path: this.#shift(), overflowed: false } })
    } else if (this.#error !== undefined) {
      reject(this.#error)
      this.#error = undefined
    } else {
      resolve({ done: true, value: undefined })
    }
  }

  #shift(): string {
    const path = this.#paths[this.#read++]!
    this.#waiting.delete(path)
    if (this.#read * 2 > this.#paths.length) {
      this.#paths = this.#paths.slice(this.#read)
      this.#read = 0
    }
    return path
  }

  #drop(): void {
    this.#paths = []
    this.#read = 0
    this.#waiting.clear()
    this.#overflowed = false
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
