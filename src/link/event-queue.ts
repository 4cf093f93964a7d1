import { LinkError } from './link-error.js'

export interface EventQueueOptions<Event> {
  /** How many events are kept for a slow reader. 1,024 by default. */
  capacity?: number | undefined
  /** What happens when that is too little: 'merge' (default) keeps one event for all of them, 'fail' ends the queue. */
  overflow?: 'merge' | 'fail' | undefined
  /** Of the events with one key that wait, one is kept. */
  keyOf?(event: Event): unknown
  /** The event that stands for those that were dropped ('merge'). */
  merged?(): Event
  /** The error of a queue that ran over ('fail'). */
  overflowError?(capacity: number): LinkError
  /** Called once, at its end. */
  ended?(error: Error | undefined): void
}

interface Reader<Event> {
  resolve(result: IteratorResult<Event, undefined>): void
  reject(error: Error): void
}

/** Events as their reader has them: those that came and were not read yet, and their end. */
export class EventQueue<Event>
  implements AsyncIterableIterator<Event, undefined, undefined>, Disposable, AsyncDisposable
{
  readonly #options: EventQueueOptions<Event>
  readonly #capacity: number
  /** In order; those before `#read` are read. */
  #events: Event[] = []
  #read = 0
  readonly #keys = new Set<unknown>()
  #overflowed = false
  readonly #readers: Reader<Event>[] = []
  #ended = false
  #error: Error | undefined

  constructor(options: EventQueueOptions<Event> = {}) {
    this.#options = options
    this.#capacity = options.capacity ?? 1024
  }

  get isEnded(): boolean {
    return this.#ended
  }

  push(event: Event): void {
    if (this.#ended || this.#overflowed) return
    const key = this.#options.keyOf?.(event)
    if (key !== undefined && this.#keys.has(key)) return
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader.resolve({ done: false, value: event })
    } else if (this.#events.length - this.#read < this.#capacity) {
      this.#events.push(event)
      if (key !== undefined) this.#keys.add(key)
    } else if (this.#options.overflow !== 'fail' && this.#options.merged !== undefined) {
      this.#drop()
      this.#overflowed = true
    } else {
      this.endNow(this.#options.overflowError?.(this.#capacity) ?? overflowError(this.#capacity))
    }
  }

  /** No more events. What is kept can still be read, and then the error, if there is one. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#options.ended?.(error)
    for (const reader of this.#readers.splice(0)) this.#answer(reader)
  }

  /** No more events, and nothing left to read but the error. */
  endNow(error?: Error): void {
    this.#drop()
    this.end(error)
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject }
      if (this.#ended || this.#overflowed || this.#read < this.#events.length) this.#answer(reader)
      else this.#readers.push(reader)
    })
  }

  return(): Promise<IteratorResult<Event, undefined>> {
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

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Answers a reader with what there is: an event, the error, or the end. */
  #answer({ resolve, reject }: Reader<Event>): void {
    if (this.#overflowed) {
      this.#overflowed = false
      resolve({ done: false, value: this.#options.merged!() })
    } else if (this.#read < this.#events.length) {
      resolve({ done: false, value: this.#shift() })
    } else if (this.#error !== undefined) {
      reject(this.#error)
      this.#error = undefined
    } else {
      resolve({ done: true, value: undefined })
    }
  }

  #shift(): Event {
    const event = this.#events[this.#read++]!
    if (this.#options.keyOf !== undefined) this.#keys.delete(this.#options.keyOf(event))
    if (this.#read * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#read)
      this.#read = 0
    }
    return event
  }

  #drop(): void {
    this.#events = []
    this.#read = 0
    this.#keys.clear()
    this.#overflowed = false
  }
}

const overflowError = (capacity: number): LinkError =>
  new LinkError('EOVERFLOW', `more than ${capacity} events came before they were read`)
