import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { ReplicationError } from '../replication-error.js'
import { digestsAtMost, granuleSize, type Part } from '../wire/message.js'
import type { Journal, View } from './journal-seam.js'
import { takeTurns } from './take-turns.js'

const digestSize = 32
/** So many granules are read and digested before all else has its turn. */
const atOnce = 8
/** Of longer zeroes it is not noted where they are, in bytes; and so many granules are noted in all. */
const notedAtMost = 64 * 1024 * 1024
const granulesAtMost = 256 * 1024

const digestOf = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const zeroDigest = digestOf(new Uint8Array(granuleSize))

/**
 * A group's digests, as an agent compares them. They are those of all that was appended: the view that they are read from is kept, until
 * something is written to what is asked of.
 */
export class Digests {
  readonly #group: string
  readonly #journal: Journal
  #view: View | undefined
  /** The granules that were written since, by volume. */
  readonly #written = new Map<number, Set<number>>()
  #count = 0
  #last: Promise<unknown> = Promise.resolve()
  #isUsed = false
  #isNoting = false
  /** More was written than is noted. */
  #isStale = false

  constructor(group: string, journal: Journal) {
    this.#group = group
    this.#journal = journal
  }

  /** A SHA-256 for each granule of a part. @throws ReplicationError protocol for no part of a volume; what the journal throws */
  read(part: Part): Promise<Uint8Array> {
    const read = this.#last.then(() => this.#read(part))
    this.#last = read.catch(() => {})
    return read
  }

  /** Something was appended. */
  wrote(volume: number, offset: number, length: number): void {
    if (!this.#isNoting || this.#isStale) return
    if (length > notedAtMost || this.#count >= granulesAtMost) {
      this.#isStale = true
      this.#written.clear()
      return
    }
    const granules = this.#written.get(volume) ?? new Set()
    this.#written.set(volume, granules)
    const before = granules.size
    for (let granule = Math.floor(offset / granuleSize); granule * granuleSize < offset + length; granule++)
      granules.add(granule)
    this.#count += granules.size - before
  }

  /** Gives the view up where nobody has asked since the last call: what it holds can be folded then. */
  letGo(): void {
    if (!this.#isUsed) this.#forget()
    this.#isUsed = false
  }

  /** Settles when nothing is read any more. */
  async close(): Promise<void> {
    await this.#last
    this.#forget()
  }

  async #read({ volume, offset, length }: Part): Promise<Uint8Array> {
    const size = this.#journal.volumes.find(({ number }) => number === volume)?.size
    this.#check({ volume, offset, length }, size)
    this.#isUsed = true
    const view = await this.#viewOf({ volume, offset, length })
    const count = Math.ceil(length / granuleSize)
    const digests = Buffer.alloc(count * digestSize)
    let zeroUntil = offset
    for (let granule = 0; granule < count; granule++) {
      if (granule % atOnce === 0 && granule > 0) await takeTurns()
      const at = offset + granule * granuleSize
      const end = Math.min(at + granuleSize, offset + length)
      if (at >= zeroUntil) zeroUntil = await zeroesUntil(view, { volume, offset: at, length: offset + length - at })
      const isZero = end <= zeroUntil && end - at === granuleSize
      const digest = isZero ? zeroDigest : digestOf(await view.read(volume, at, end - at))
      digests.set(digest, granule * digestSize)
      this.#isUsed = true
    }
    return digests
  }

  #check({ volume, offset, length }: Part, size: number | undefined): void {
    const wrong = (why: string) => new ReplicationError('protocol', `no digests of the group ${this.#group}: ${why}`)
    if (size === undefined) throw wrong(`it has no volume ${volume}`)
    if (length < 1 || length > digestsAtMost * granuleSize) throw wrong(`${length} bytes are asked of`)
    if (offset < 0 || offset % granuleSize !== 0) throw wrong(`a part begins at ${offset}`)
    const end = offset + length
    if (end > size || (end !== size && end % granuleSize !== 0)) throw wrong(`a part ends at ${end}`)
  }

  async #viewOf({ volume, offset, length }: Part): Promise<View> {
    if (this.#view !== undefined && !this.#isStale && !this.#isWritten(volume, offset, length)) return this.#view
    this.#forget()
    this.#isNoting = true
    const { position } = await this.#journal.commit()
    this.#view = await this.#journal.view(position, { unsettled: true })
    return this.#view
  }

  #isWritten(volume: number, offset: number, length: number): boolean {
    const granules = this.#written.get(volume)
    if (granules === undefined) return false
    for (let granule = offset / granuleSize; granule * granuleSize < offset + length; granule++)
      if (granules.has(granule)) return true
    return false
  }

  #forget(): void {
    this.#view?.close()
    this.#view = undefined
    this.#isNoting = false
    this.#isStale = false
    this.#written.clear()
    this.#count = 0
  }
}

/** The end of the zeroes that a part begins with. */
async function zeroesUntil(view: View, { volume, offset, length }: Part): Promise<number> {
  let end = offset
  for (const extent of await view.blockStatus(volume, offset, length)) {
    if (!extent.zero) break
    end += extent.length
  }
  return end
}
