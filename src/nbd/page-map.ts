/** Pages of a disk are counted by so many: where all or none are there, no single one has to be looked at. */
const groupSize = 1024

/** The pages that a disk has. */
export class PageMap<Page> {
  readonly #pages = new Map<number, Page>()
  /** How many there are in each group that has any. */
  readonly #groups = new Map<number, number>()

  get(page: number): Page | undefined {
    return this.#pages.get(page)
  }

  has(page: number): boolean {
    return this.#pages.has(page)
  }

  set(page: number, value: Page): void {
    if (!this.#pages.has(page)) this.#count(page, 1)
    this.#pages.set(page, value)
  }

  delete(page: number): void {
    if (this.#pages.delete(page)) this.#count(page, -1)
  }

  /** The page before which all from `page` on are there as it is, or are not as it is not; there may be more behind. */
  sameUntil(page: number): number {
    const group = Math.floor(page / groupSize)
    const count = this.#groups.get(group) ?? 0
    return count === 0 || count === groupSize ? (group + 1) * groupSize : page + 1
  }

  /** Those from the page `first` on and before `end` that are there, in any order. They may be deleted meanwhile. */
  *between(first: number, end: number): Generator<number, void, undefined> {
    for (const group of this.#groupsBetween(Math.floor(first / groupSize), Math.ceil(end / groupSize))) {
      const to = Math.min(end, (group + 1) * groupSize)
      for (let page = Math.max(first, group * groupSize); page < to; page++) if (this.#pages.has(page)) yield page
    }
  }

  /** A range may be far longer than what there is in it. */
  #groupsBetween(first: number, end: number): number[] {
    if (end - first > this.#groups.size) return [...this.#groups.keys()].filter(group => group >= first && group < end)
    return Array.from({ length: end - first }, (_, index) => first + index).filter(group => this.#groups.has(group))
  }

  #count(page: number, change: number): void {
    const group = Math.floor(page / groupSize)
    const count = (this.#groups.get(group) ?? 0) + change
    if (count === 0) this.#groups.delete(group)
    else this.#groups.set(group, count)
  }
}
