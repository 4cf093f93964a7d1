/** The most names that a journal has, and that the index of a segment keeps. */
export const namesAtMost = 10_000

/** A checkpoint: a point that has a name. */
export interface NamedPoint {
  name: string
  position: number
  time: number
}

/**
 * The points of a journal that have names, in the order in which they got them. An agent may name points for ever: of more names than there may be the
 * oldest are forgotten, unless they are kept. The points themselves stay what they are.
 */
export class NamedPoints {
  #most: number
  readonly #isAlive: (point: NamedPoint) => boolean
  #all: NamedPoint[] = []
  #kept: () => readonly { name: string }[] = () => []

  /**
   * @param most how many names there may be
   * @param isAlive whether a point counts, and was not undone: one that does not never will again
   */
  constructor(most: number, isAlive: (point: NamedPoint) => boolean = () => true) {
    this.#most = Math.min(most, namesAtMost)
    this.#isAlive = isAlive
  }

  /** How many names there may be. */
  get most(): number {
    return this.#most
  }

  /** From now on there may be so many. */
  limit(most: number): void {
    this.#most = Math.min(most, namesAtMost)
  }

  /** Those that are known: twice as many at most, as a name that another point got may come back with a rewind. */
  get all(): readonly NamedPoint[] {
    return this.#all
  }

  add(point: NamedPoint): void {
    this.#all.push(point)
    if (this.#all.length >= 2 * this.#most) this.#all = [...this.byName().values()]
  }

  /** @param kept whose names are not forgotten now */
  keep(kept: () => readonly { name: string }[]): void {
    this.#kept = kept
  }

  /** The points that count, from a position on: the newest of each name, in the order in which they got it. */
  byName(from = 0): Map<string, NamedPoint> {
    const named = new Map<string, NamedPoint>()
    for (const point of this.#all) {
      if (point.position < from || !this.#isAlive(point)) continue
      // a name that is given again is a new one
      named.delete(point.name)
      named.set(point.name, point)
    }
    if (named.size <= this.#most) return named
    const kept = new Set(this.#kept().map(({ name }) => name))
    for (const name of named.keys()) {
      if (named.size <= this.#most) break
      if (!kept.has(name)) named.delete(name)
    }
    return named
  }

  /** Points before a position are of no use any more. */
  forgetBefore(position: number): void {
    this.#all = this.#all.filter(point => point.position >= position)
  }
}
