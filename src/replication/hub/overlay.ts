import { Buffer } from 'node:buffer'
import type { BlockBackend, BlockExtent, ZeroOptions } from '../../nbd/block-backend.js'
import { NbdError } from '../../nbd/nbd-error.js'
import type { OpenFile } from '../folder.js'
import { BlockMap, blockSize, type DirtyPage } from './block-map.js'
import type { Run, View } from './journal-seam.js'
import type { OverlayQuota } from './overlay-quota.js'
import { takeTurns } from './take-turns.js'

/** Of long zeroes, so much is written at a time, in bytes. */
const zeroPart = 1024 * 1024
const zeroes = Buffer.alloc(zeroPart)
/** So many has an answer of `blockStatus`. */
const extentsAtMost = 64
/** What a granule is for those who compare, in bytes. */
const granuleSize = 64 * 1024

export interface OverlayParts {
  view: View
  volume: number
  /** In bytes. */
  size: number
  data: OpenFile
  map: OpenFile
  quota: OverlayQuota
  /** Nothing was ever written to the file of the data: where the map has no bit, it is a hole. */
  isNew: boolean
  /** Asked before a flush is answered. @throws ReplicationError owned where another hub has the group now */
  checkOwner(): void
}

/**
 * A volume of a branch: what a recovery VM wrote, in a sparse file, over the group as of a point. After a crash, all is there that was
 * written before the last flush: the data is durable before the map says that it is there.
 */
export class Overlay implements BlockBackend {
  readonly size: number
  readonly #view: View
  readonly #volume: number
  readonly #data: OpenFile
  readonly #mapFile: OpenFile
  readonly #map: BlockMap
  readonly #quota: OverlayQuota
  readonly #checkOwner: () => void
  /** Where the map has no bit, the file has a hole. */
  #isNew: boolean
  readonly #underWay = new Set<Promise<unknown>>()
  #flushing: Promise<void> = Promise.resolve()
  #waitingFlush: Promise<void> | undefined
  #failure: unknown
  #whyClosed: string | undefined
  /** What was written since the mark; undefined where nobody wants to know. */
  #written: Set<number> | undefined

  constructor({ view, volume, size, data, map, quota, isNew, checkOwner }: OverlayParts) {
    this.size = size
    this.#view = view
    this.#volume = volume
    this.#data = data
    this.#mapFile = map
    this.#map = BlockMap.load(map)
    this.#quota = quota
    this.#isNew = isNew
    this.#checkOwner = checkOwner
    quota.add(this.#map.size * blockSize)
  }

  /** How much was written, in bytes. */
  get written(): number {
    return this.#map.size * blockSize
  }

  read(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    this.#checkOpen()
    return this.readFrozen(offset, length)
  }

  /** As `read`, also of one that takes no more writes. */
  readFrozen(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const end = this.#runEnd(offset, offset + length)
    if (end === offset + length) {
      if (!this.#has(offset)) return this.#view.read(this.#volume, offset, length)
      const bytes = Buffer.allocUnsafeSlow(length)
      this.#readData(offset, bytes)
      return bytes
    }
    return this.#counted(this.#readMixed(offset, length))
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    this.#checkOpen()
    const end = offset + data.length
    const head = this.#partialBlock(offset, end, blockOf(offset))
    const tail = this.#partialBlock(offset, end, blockOf(end - 1))
    if (head === undefined && tail === undefined) return this.#writeNow(offset, data)
    return this.#counted(this.#copyUp(new Set([head, tail]), base => this.#writeNow(offset, data, base)))
  }

  writeZeroes(offset: number, length: number, { fast = false, signal }: ZeroOptions = {}): void | Promise<void> {
    this.#checkOpen()
    if (fast) throw new NbdError('ENOTSUP', 'zeroes are as slow as other bytes here')
    return this.#counted(this.#zero(offset, length, signal))
  }

  trim(): void {
    this.#checkOpen()
    // what is below would come through again
  }

  /** What is asked while one is under way waits for the one after it, together. */
  flush(): Promise<void> {
    this.#checkOpen()
    this.#waitingFlush ??= this.#inTurn(() => {
      this.#waitingFlush = undefined
      return this.#flush()
    })
    return this.#counted(this.#waitingFlush)
  }

  async blockStatus(offset: number, length: number): Promise<BlockExtent[]> {
    this.#checkOpen()
    const extents: BlockExtent[] = []
    const end = offset + length
    for (let at = offset; at < end && extents.length < extentsAtMost; ) {
      const to = this.#runEnd(at, end)
      if (this.#has(at)) addExtent(extents, { length: to - at, hole: false, zero: false })
      else {
        let from = at
        for (const extent of await this.#view.blockStatus(this.#volume, at, to - at)) {
          const part = Math.min(extent.length, to - from)
          if (part <= 0) break
          addExtent(extents, { ...extent, length: part })
          from += part
        }
        if (from === at) break
        if (from < to) return extents
      }
      at = to
    }
    return extents
  }

  /** The runs of granules in which anything was written. */
  *granules(): Generator<Run> {
    let last: Run | undefined
    for (const { first, count } of this.#map.runs()) {
      const offset = Math.floor((first * blockSize) / granuleSize) * granuleSize
      const end = Math.min(this.size, Math.ceil(((first + count) * blockSize) / granuleSize) * granuleSize)
      if (last !== undefined && offset <= last.offset + last.length) last.length = end - last.offset
      else {
        if (last !== undefined) yield last
        last = { offset, length: end - offset }
      }
    }
    if (last !== undefined) yield last
  }

  /** The runs that were written, exactly to the block. */
  *runs(): Generator<Run> {
    for (const { first, count } of this.#map.runs()) {
      const offset = first * blockSize
      yield { offset, length: Math.min(this.size, offset + count * blockSize) - offset }
    }
  }

  /** The granules that were written since the last call; none at the first one, from which on they are noted. */
  takeWritten(): number[] {
    const written = [...(this.#written ?? [])].sort((a, b) => a - b)
    this.#written = new Set()
    return written
  }

  /** How much of that would be taken now, in bytes. */
  get noted(): number {
    return (this.#written?.size ?? 0) * granuleSize
  }

  /** Takes no more: what was asked before is through when it settles. */
  async freeze(why: string): Promise<void> {
    this.#whyClosed ??= why
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    await this.#flushing
  }

  /** Takes writes again. */
  thaw(): void {
    this.#whyClosed = undefined
  }

  /** Makes durable what was written, be it frozen or not. */
  sync(): Promise<void> {
    return this.#inTurn(() => this.#flush())
  }

  /** After `freeze`. */
  close(): void {
    this.#quota.remove(this.written)
    this.#data.close()
    this.#mapFile.close()
  }

  #checkOpen(): void {
    if (this.#whyClosed !== undefined) throw new NbdError('ESHUTDOWN', this.#whyClosed)
  }

  #has(offset: number): boolean {
    return this.#map.has(blockOf(offset))
  }

  /** Where the run that `offset` is in ends: of blocks that are here, or of ones that are not. */
  #runEnd(offset: number, end: number): number {
    if (offset >= end) return end
    return Math.min(end, this.#map.sameUntil(blockOf(offset), blockOf(end - 1) + 1) * blockSize)
  }

  #readData(offset: number, target: Uint8Array): void {
    const count = this.#data.readInto(offset, target)
    // zeroes at its end were never written
    if (count < target.length) target.fill(0, count)
  }

  async #readMixed(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length)
    const end = offset + length
    for (let at = offset; at < end; ) {
      const to = this.#runEnd(at, end)
      const part = bytes.subarray(at - offset, to - offset)
      if (this.#has(at)) this.#readData(at, part)
      else part.set(await this.#view.read(this.#volume, at, to - at))
      at = to
    }
    return bytes
  }

  /** The block, where a change covers only a part of it and what is around that is below. */
  #partialBlock(offset: number, end: number, block: number): number | undefined {
    const from = block * blockSize
    const isWhole = offset <= from && end >= Math.min(from + blockSize, this.size)
    return isWhole || this.#map.has(block) ? undefined : block
  }

  /** Reads blocks from below before a change, which is done at once then: whatever was written there meanwhile stays. */
  async #copyUp(
    blocks: ReadonlySet<number | undefined>,
    change: (base: ReadonlyMap<number, Uint8Array>) => void,
  ): Promise<void> {
    const base = new Map<number, Uint8Array>()
    for (const block of blocks) {
      if (block === undefined) continue
      const from = block * blockSize
      base.set(block, await this.#view.read(this.#volume, from, Math.min(blockSize, this.size - from)))
    }
    change(base)
  }

  #writeNow(offset: number, data: Uint8Array, base: ReadonlyMap<number, Uint8Array> = new Map()): void {
    const first = blockOf(offset)
    const end = blockOf(offset + data.length - 1) + 1
    this.#reserve(first, end)
    try {
      // one that is here by now has more than what is below
      for (const [block, bytes] of base) if (!this.#map.has(block)) this.#data.write(block * blockSize, bytes)
      this.#data.write(offset, data)
    } catch (error) {
      // some of it may be in the file, where the map says that nothing is
      this.#isNew = false
      throw error
    }
    this.#took(first, end)
  }

  #took(first: number, end: number): void {
    const before = this.#map.size
    for (let block = first; block < end; block++) this.#map.add(block)
    this.#quota.add((this.#map.size - before) * blockSize)
    if (this.#written === undefined) return
    const perGranule = granuleSize / blockSize
    for (let granule = Math.floor(first / perGranule); granule * perGranule < end; granule++) this.#written.add(granule)
  }

  /** @throws NbdError ENOSPC */
  #reserve(first: number, end: number): void {
    let added = 0
    for (let block = first; block < end; ) {
      const to = this.#map.sameUntil(block, end)
      if (!this.#map.has(block)) added += to - block
      block = to
    }
    if (added === 0 || this.#quota.has(added * blockSize)) return
    const { limit } = this.#quota
    throw new NbdError('ENOSPC', `the branches of the group have written ${limit} bytes, which is their limit`)
  }

  async #zero(offset: number, length: number, signal: AbortSignal | undefined): Promise<void> {
    const end = offset + length
    for (let at = offset; at < end; ) {
      const to = Math.min(end, (Math.floor(at / zeroPart) + 1) * zeroPart)
      if (signal?.aborted) throw new NbdError('ECANCELED', 'nobody waits for these zeroes any more')
      const partial = [blockOf(at), blockOf(to - 1)].map(block => this.#partialBlock(at, to, block))
      await this.#copyUp(new Set(partial), base => this.#zeroNow(at, to, base))
      at = to
      if (at < end) await takeTurns()
    }
  }

  #zeroNow(offset: number, to: number, base: ReadonlyMap<number, Uint8Array>): void {
    if (base.size > 0 || !this.#isHole(offset, to)) {
      this.#writeNow(offset, zeroes.subarray(0, to - offset), base)
      return
    }
    this.#reserve(blockOf(offset), blockOf(to - 1) + 1)
    this.#took(blockOf(offset), blockOf(to - 1) + 1)
  }

  /** Whether the file reads as zeroes there, so that none have to be written. */
  #isHole(offset: number, to: number): boolean {
    if (this.#isNew && !this.#has(offset) && this.#runEnd(offset, to) === to) return true
    const bytes = Buffer.allocUnsafe(to - offset)
    this.#readData(offset, bytes)
    return bytes.equals(zeroes.subarray(0, bytes.length))
  }

  /** One flush at a time: one beside another would not wait for what that one has taken. */
  #inTurn(flush: () => Promise<void>): Promise<void> {
    const flushed = this.#flushing.then(flush)
    this.#flushing = flushed.catch(() => {})
    return flushed
  }

  /** What the map says when it begins is durable, data first, when it settles. */
  async #flush(): Promise<void> {
    if (this.#failure !== undefined)
      throw new NbdError('EIO', 'an earlier flush of the overlay failed', { cause: this.#failure })
    const pages = this.#map.takeDirty()
    try {
      await this.#data.sync()
      for (const page of pages) page.write()
    } catch (error) {
      this.#map.makeDirty()
      throw error
    }
    if (pages.length > 0) await this.#syncMap(pages)
    // who has taken the group over since then has found all of this
    this.#checkOwner()
  }

  async #syncMap(pages: readonly DirtyPage[]): Promise<void> {
    try {
      await this.#mapFile.sync()
    } catch (error) {
      // nobody knows what the file has
      this.#failure = error
      throw error
    }
    for (const page of pages) page.settle()
  }

  #counted<Result>(work: Promise<Result>): Promise<Result> {
    const counted = work.finally(() => this.#underWay.delete(counted))
    this.#underWay.add(counted)
    return counted
  }
}

const blockOf = (offset: number): number => Math.floor(offset / blockSize)

function addExtent(extents: BlockExtent[], extent: BlockExtent): void {
  const last = extents.at(-1)
  if (last !== undefined && last.hole === extent.hole && last.zero === extent.zero) last.length += extent.length
  else extents.push({ ...extent })
}
