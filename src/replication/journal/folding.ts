import { foldInto } from './fold-into.js'
import type { Images } from './images.js'
import type { JournalHistory } from './journal-history.js'
import type { JournalOptions } from './journal-options.js'
import type { JournalView } from './journal-view.js'
import type { RecordReader } from './record-reader.js'
import { foldTarget } from './retention.js'
import { type Records, stateAt } from './state-at.js'
import { layerOf } from './view-layer.js'

export interface FoldingParts {
  records: Records
  history: JournalHistory
  images: Images
  reader: RecordReader
  /** What they read is not folded. */
  views: ReadonlySet<JournalView>
  options: JournalOptions
}

/** Takes a journal's oldest segments into its images, as far as its limits let them go. A crash cuts it off anywhere: then it is done again. */
export class Folding {
  readonly #parts: FoldingParts

  constructor(parts: FoldingParts) {
    this.#parts = parts
  }

  /** Folds some segments. @returns false where there is nothing to be folded */
  async step(): Promise<boolean> {
    const target = this.#target()
    if (target === undefined) return false
    await this.#fold(target)
    return true
  }

  #target(): number | undefined {
    const { records, history, views, options } = this.#parts
    const { base, store, durable } = records
    const { state, folding = 0 } = base.current
    // What was begun is done again whole: the images may hold some of it.
    if (folding > state.position) return folding
    return foldTarget({
      segments: store.all,
      sealed: store.sealed.length,
      size: store.size,
      limits: options.limits ?? {},
      time: durable.time,
      now: options.now?.(),
      floor: history.floor([...views].map(({ position }) => position)),
    })
  }

  async #fold(target: number): Promise<void> {
    const { records, history, images, reader, views } = this.#parts
    const { base, store, durable } = records
    const ranges = history.lineageOf(durable.position)
    const folded = base.current.state.position
    const segments = store.sealed.filter(({ first, last }) => last > folded && first <= target)
    const layers = segments.flatMap(segment => layerOf(store, segment, ranges) ?? [])
    const state = stateAt(records, target).snapshot
    // Nobody may go back behind it from this moment on, not only when that is durable.
    await base.changeNow({ folding: target })
    await foldInto({ layers, volumes: durable.volumes, images, reader })
    await base.change({ state, names: history.namesOf(target), folding: undefined })
    for (const view of views) view.dropThrough(target)
    store.removeThrough(target)
    history.forgetBefore(target)
    await store.folder.sync()
  }
}
