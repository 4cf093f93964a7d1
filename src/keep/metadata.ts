import { ActiveExtents } from './active-extents.js'
import { BitmapFile } from './bitmap-file.js'
import type { BlockRun, BlockSet } from './block-set.js'
import type { Geometry } from './geometry.js'
import type { KeepHost } from './keep-host.js'
import { RecordFile } from './record-file.js'

type Done = (error?: Error) => void

/** What every record says, besides what its owner adds. */
export interface KeepRecord {
  size: number
  blockSize: number
  extentBlocks: number
  /** The extents that may be being written. */
  activity: readonly number[]
}

/** What was read of a disk's metadata. */
export interface Kept<Owned extends KeepRecord> {
  record: RecordFile<Owned>
  bitmap: BitmapFile
  geometry: Geometry
}

interface Activation {
  extents: readonly number[]
  done: Done
}

/** What is done while nothing else is done to the metadata. */
interface Step {
  run(): void
  done: Done
}

/** Writes the metadata of a new disk: an empty bitmap, and then the record. */
export function createMetadata<Owned extends KeepRecord>(
  host: KeepHost,
  geometry: Geometry,
  record: Owned,
  done: Done,
): void {
  new BitmapFile(host, geometry).create(error => {
    if (error !== undefined) done(error)
    else RecordFile.create(host, record, done)
  })
}

/** Reads what was kept: nothing where there is no whole record. Fails with the file's error. */
export function loadMetadata<Owned extends KeepRecord>(
  host: KeepHost,
  limits: Pick<Geometry, 'activeExtents' | 'roomAhead'>,
  done: (error: Error | undefined, kept?: Kept<Owned>) => void,
): void {
  RecordFile.load<Owned>(host, (error, record) => {
    if (error !== undefined || record === undefined) return done(error)
    const { size, blockSize, extentBlocks } = record.record
    const geometry = { size, blockSize, extentBlocks, activeExtents: limits.activeExtents, roomAhead: limits.roomAhead }
    const bitmap = new BitmapFile(host, geometry)
    bitmap.load(failure => {
      if (failure !== undefined) return done(failure)
      // the process before may have ended between a write and its sync: what is believed here must outlive the host, too
      host.file({ kind: 'sync', file: 'meta' }, unsynced =>
        done(unsynced, unsynced ? undefined : { record, bitmap, geometry }),
      )
    })
  })
}

/**
 * What is kept of a disk besides its data: the record, the bitmap of blocks that may differ from a copy's, and the activity log.
 *
 * After a crash, all blocks that differ are in the bitmap's file or in an active extent. So an extent becomes active, durably,
 * before it is written to; and before it stops being active, its blocks that differ are in the file, durably. A bit in the file that
 * stands for no difference costs a copy and nothing else: those are cleared when it is convenient.
 */
export class Metadata<Owned extends KeepRecord> {
  readonly geometry: Geometry
  readonly #host: KeepHost
  readonly #record: RecordFile<Owned>
  readonly #bitmap: BitmapFile
  readonly #active: ActiveExtents
  #waiting: (Activation | Step)[] = []
  #isBusy = false
  /** A step failed: what follows it would be written in the wrong order. */
  #failure: Error | undefined

  constructor(host: KeepHost, { record, bitmap, geometry }: Kept<Owned>) {
    this.#host = host
    this.geometry = geometry
    this.#record = record
    this.#bitmap = bitmap
    this.#active = new ActiveExtents(geometry, record.record.activity)
  }

  /** As it is, or will be once it is written. */
  get record(): Readonly<Owned> {
    return this.#record.record
  }

  /** The blocks that may differ from the copy's. */
  get differing(): BlockSet {
    return this.#bitmap.differing
  }

  /** Whether the file has bits that stand for no difference any more. */
  get isStale(): boolean {
    return this.#bitmap.isKept || this.record.activity.length > 0
  }

  /** Changes the record, which is written with the next change that has to be durable. */
  note(change: Partial<Owned>): void {
    this.#record.note(change)
  }

  /** Changes the record; calls back once that is durable. */
  save(change: Partial<Owned>, done: Done): void {
    if (this.#failure !== undefined) {
      done(this.#failure)
      return
    }
    this.#record.save(change, error => {
      this.#failure ??= error
      done(error)
    })
  }

  /** Makes some blocks ready to be written: calls back once a crash cannot hide that they were. `deactivate` follows. */
  activate(first: number, end: number, done: Done): void {
    if (this.#failure !== undefined) {
      done(this.#failure)
      return
    }
    const extents = this.#active.extentsOf(first, end)
    if (extents.every(extent => this.#active.has(extent))) {
      this.#active.use(extents)
      done()
      return
    }
    this.#waiting.push({ extents, done })
    this.#advance()
  }

  /** The write of these blocks is through. */
  deactivate(first: number, end: number): void {
    this.#active.release(this.#active.extentsOf(first, end))
    if (this.#waiting.length > 0) this.#advance()
  }

  /** Writes the bitmap as it is, and then the record, with no extent active. Nothing may be under way to the disk. */
  settle(change: Partial<Owned>, done: Done): void {
    // what is changed later is changed from this
    this.#record.note(change)
    this.#waiting.push({ run: () => this.#settleNow(done), done })
    this.#advance()
  }

  /**
   * Some blocks differ: they are in the file when this returns, so that the end of the process cannot hide it. What ends the host may; for that
   * there are active extents. Only on a host that writes before it returns. @throws the file's error
   */
  mark(first: number, end: number): void {
    const { differing } = this
    if (this.#failure !== undefined) throw this.#failure
    let from = first
    while (from < end && differing.has(from)) from++
    if (from === end) return
    differing.addRun({ first: from, count: end - from })
    this.#bitmap.writeThrough({ first: from, count: end - from }, error => {
      this.#failure ??= error
    })
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Those of the blocks that still do not differ then leave the bitmap, once the record durably says what that rests on. */
  unmark(blocks: Iterable<number>, isEqual: (block: number) => boolean, change: Partial<Owned>, done: Done): void {
    this.#waiting.push({ run: () => this.#unmarkNow(blocks, isEqual, change, done), done })
    this.#advance()
  }

  /** Whether all extents of some blocks are active: then they may be written at once, without `activate`. */
  isActive(first: number, end: number): boolean {
    return this.#active.isActive(first, end)
  } /** The blocks that are taken for differing because their page of the bitmap was not whole. */
  get torn(): readonly BlockRun[] {
    return this.#bitmap.torn
  }

  /** The blocks of an extent. */
  blocksOf(extent: number): BlockRun {
    return this.#active.blocksOf(extent)
  }

  #advance(): void {
    if (this.#failure !== undefined) {
      for (const one of this.#waiting.splice(0)) one.done(this.#failure)
      return
    }
    if (this.#isBusy) return
    const [next] = this.#waiting
    if (next === undefined) return
    if ('run' in next) {
      this.#waiting.shift()
      next.run()
    } else this.#activateNext()
  }

  #activateNext(): void {
    const { group, evicted } = this.#nextGroup()
    if (group.length === 0) return
    this.#waiting.splice(0, group.length)
    // at once: who wants to write there now has to wait
    this.#active.remove(evicted)
    const activity = new Set([...this.#active.all, ...group.flatMap(({ extents }) => extents)])
    const pages = new Set(evicted.flatMap(extent => this.#bitmap.pagesWithout(this.#active.blocksOf(extent))))
    this.#leave(evicted, [...pages], [...activity], error => {
      // not before: who finds them active writes at once
      if (error === undefined) for (const { extents } of group) this.#active.use(extents)
      for (const { done } of group) done(error)
    })
  }

  /** Those who wait, as many as there is room for, and the extents that have to make room. */
  #nextGroup(): { group: Activation[]; evicted: number[] } {
    let wanted = new Set<number>()
    let evicted: number[] = []
    const group: Activation[] = []
    for (const one of this.#waiting) {
      if (!('extents' in one)) break
      const all = new Set([...wanted, ...one.extents])
      const toEvict = this.#active.toEvict(all)
      if (toEvict === undefined) break
      wanted = all
      evicted = toEvict
      group.push(one)
    }
    return { group, evicted }
  }

  #settleNow(done: Done): void {
    const { idle } = this.#active
    this.#active.remove(idle)
    this.#leave(idle, this.#bitmap.pagesInUse(), this.#active.all, done)
  }

  #unmarkNow(blocks: Iterable<number>, isEqual: (block: number) => boolean, change: Partial<Owned>, done: Done): void {
    const through = this.#begin(done)
    this.save(change, error => {
      if (error !== undefined) return through(error)
      const { differing } = this
      const pages = new Set<number>()
      for (const block of blocks)
        if (differing.has(block) && isEqual(block)) {
          differing.delete(block)
          pages.add(this.#bitmap.pageOf(block))
        }
      this.#bitmap.write([...pages], through)
    })
  }

  /** Others wait until what this gives is called. */
  #begin(done: Done): Done {
    this.#isBusy = true
    return error => {
      this.#isBusy = false
      this.#failure ??= error
      done(error)
      this.#advance()
    }
  }

  /** Extents stop being active: what was written there is durable, here as well as at the copy that has acknowledged it, and the pages are. */
  #leave(left: readonly number[], pages: readonly number[], activity: readonly number[], done: Done): void {
    const through = this.#begin(done)
    const keep: Done = error => {
      if (error !== undefined) through(error)
      else
        this.#bitmap.write(pages, failure =>
          failure !== undefined ? through(failure) : this.save({ activity } as Partial<Owned>, through),
        )
    }
    if (left.length > 0) this.#host.file({ kind: 'sync', file: 'data' }, keep)
    else keep()
  }
}
