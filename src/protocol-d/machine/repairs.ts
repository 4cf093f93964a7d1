import { blockRange } from '../../keep/geometry.js'
import type { Core } from './core.js'
import type { Link } from './link.js'

interface Range {
  offset: number
  length: number
}

/** A longer write that failed is copied block by block, when the nodes meet again. */
const readAtMost = 32 * 1024 * 1024

/** A write failed here, and the peer was sent it: what is here is sent after it, so that both hold the same. */
export class Repairs {
  readonly #core: Core
  readonly #underWay = new Set<{ write: Range; isStale: boolean }>()

  constructor(core: Core) {
    this.#core = core
  }

  /** What is being read there is not what will be there. */
  writeBegins(write: Range): void {
    for (const repair of this.#underWay) if (overlap(repair.write, write)) repair.isStale = true
  }

  /**
   * Makes good a write that failed.
   * @param writing all that are under way
   * @param link where it was sent
   */
  repair(write: Range, writing: Iterable<Range>, link: Link, done: () => void): void {
    const core = this.#core
    const { offset, length } = write
    const [first, end] = blockRange(core.geometry, offset, length)
    const keepBits = () => core.metadata.differing.addRun({ first, count: end - first })
    const meetAgain = () => {
      keepBits()
      if (core.link !== undefined) core.end('a write failed here: its blocks are copied when the nodes meet again')
      done()
    }
    const isOverlapped = [...writing].some(one => one !== write && overlap(one, write))
    if (isOverlapped || length > readAtMost) {
      meetAgain()
      return
    }
    const repair = { write, isStale: false }
    this.#underWay.add(repair)
    core.host.file({ kind: 'read', file: 'data', offset, length }, (error, data) => {
      this.#underWay.delete(repair)
      if (link !== core.link || repair.isStale) return meetAgain()
      keepBits()
      // the peer keeps what this node lacks
      if (error !== undefined) for (let block = first; block < end; block++) core.unreadable.add(block)
      else link.sender.write(offset, data!)
      done()
    })
  }
}

const overlap = (one: Range, other: Range): boolean =>
  one.offset < other.offset + other.length && other.offset < one.offset + one.length
