import type { Xenstore } from '../../xenstore/xenstore.js'

/**
 * Watches over some directories, which only remember where to look again: of all their events the memory is one mark for
 * each entry that is asked for, however often others write.
 */
export class DirtyWatches {
  stopped = false
  readonly #store: Xenstore
  readonly #signal: AbortSignal | undefined
  readonly #stops = new Map<string, () => void>()
  #failure: { error: unknown } | undefined
  #wake = () => {}

  constructor(store: Xenstore, signal: AbortSignal | undefined) {
    this.#store = store
    this.#signal = signal
  }

  /** Watches a directory, if it is not watched yet. `mark` is told the entry that changed; undefined: any of them. */
  watch(path: string, depth: number, mark: (entry: string | undefined) => void): void {
    if (this.#stops.has(path)) return
    const watch = this.#store.watch(path, { depth, capacity: 256, signal: this.#signal })
    this.#stops.set(path, () => watch[Symbol.dispose]())
    const read = async () => {
      for await (const event of watch) {
        const isBelow = event.path.startsWith(`${path}/`)
        const [entry] = isBelow ? event.path.slice(path.length + 1).split('/', 1) : []
        mark(entry)
        this.#wake()
      }
    }
    read().catch((error: unknown) => {
      this.#failure ??= { error }
      this.#wake()
    })
  }

  /** Leaves those directories that are not among the wanted. */
  keep(wanted: ReadonlySet<string>): void {
    for (const [path, stop] of this.#stops) {
      if (wanted.has(path)) continue
      stop()
      this.#stops.delete(path)
    }
  }

  /** Leaves them all, and ends the waiting. */
  stop(): void {
    this.stopped = true
    this.keep(new Set())
    this.#wake()
  }

  /** Waits until something was marked, or to the end. @throws the error with which a watch ended */
  async changed(isMarked: () => boolean): Promise<void> {
    while (this.#failure === undefined && !this.stopped && !isMarked()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
