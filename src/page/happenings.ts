import type { Level } from './level.js'
import { pageText } from './page-text.js'

/** Something that happened. */
export interface Happening {
  /** In milliseconds since 1970. */
  at: number
  level: Level
  text: string
}

/** How many are kept. */
const most = 60

/** What happened last. */
export class Happenings {
  #all: Happening[] = []

  add(at: number, level: Level, text: string): void {
    this.#all.push({ at, level, text: pageText(text) })
    if (this.#all.length > most) this.#all.shift()
  }

  /** The newest first. */
  get newestFirst(): readonly Happening[] {
    return this.#all.toReversed()
  }
}
