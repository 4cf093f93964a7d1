import type { BlockRun } from './block-set.js'
import { blocksOf, type Geometry } from './geometry.js'

/** The extents that may be being written, the one that was used last at the end; and how many writes to each are under way. */
export class ActiveExtents {
  readonly #geometry: Geometry
  readonly #users = new Map<number, number>()
  /** The one at the end, where it was asked for last. */
  #latest: number | undefined

  /** @param kept those that were active when the node ended */
  constructor(geometry: Geometry, kept: readonly number[]) {
    this.#geometry = geometry
    for (const extent of kept) this.#users.set(extent, 0)
  }

  get all(): number[] {
    return [...this.#users.keys()]
  }

  /** Those that no write is under way to, longest first. */
  get idle(): number[] {
    return [...this.#users].filter(([, users]) => users === 0).map(([extent]) => extent)
  }

  has(extent: number): boolean {
    return this.#users.has(extent)
  }

  /** Whether all extents of some blocks are; the one that was asked for last is not the one that has to go. */
  isActive(first: number, end: number): boolean {
    const { extentBlocks } = this.#geometry
    const last = Math.floor((end - 1) / extentBlocks)
    for (let extent = Math.floor(first / extentBlocks); extent <= last; extent++) {
      if (extent === this.#latest) continue
      const users = this.#users.get(extent)
      if (users === undefined) return false
      this.#users.delete(extent)
      this.#users.set(extent, users)
      this.#latest = extent
    }
    return true
  }

  /** A write to them begins. */
  use(extents: readonly number[]): void {
    this.#latest = undefined
    for (const extent of extents) {
      const users = this.#users.get(extent) ?? 0
      this.#users.delete(extent)
      this.#users.set(extent, users + 1)
    }
  }

  /** A write to them is through. */
  release(extents: readonly number[]): void {
    for (const extent of extents) this.#users.set(extent, this.#users.get(extent)! - 1)
  }

  remove(extents: readonly number[]): void {
    for (const extent of extents) this.#users.delete(extent)
    this.#latest = undefined
  }

  /** Those that have to go for others to be active, and more so that the next ones find room; undefined where there is none for them. */
  toEvict(wanted: ReadonlySet<number>): number[] | undefined {
    const added = [...wanted].filter(extent => !this.has(extent)).length
    const tooMany = Math.max(0, this.#users.size + added - this.#geometry.activeExtents)
    const idle = this.idle.filter(extent => !wanted.has(extent))
    if (tooMany > idle.length) return undefined
    return idle.slice(0, tooMany === 0 ? 0 : tooMany + (this.#geometry.roomAhead ?? 0))
  }

  /** The extents of some blocks. */
  extentsOf(first: number, end: number): number[] {
    const { extentBlocks } = this.#geometry
    const extents: number[] = []
    for (let extent = Math.floor(first / extentBlocks); extent * extentBlocks < end; extent++) extents.push(extent)
    return extents
  }

  blocksOf(extent: number): BlockRun {
    const { extentBlocks } = this.#geometry
    const first = extent * extentBlocks
    return { first, count: Math.min(extentBlocks, blocksOf(this.#geometry) - first) }
  }
}
