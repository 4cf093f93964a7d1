import type { BlockBackend, BlockExtent, ZeroOptions } from '../../nbd/block-backend.js'
import { NbdError } from '../../nbd/nbd-error.js'
import { dataAtMost } from '../wire/message.js'
import { GranuleLedger } from './granule-ledger.js'
import { firstGranule, granuleEnd } from './granules.js'
import { type GroupStream, unplaced } from './group-stream.js'
import { GuardedImage } from './guarded-image.js'
import type { ReplicatedDisk } from './replicated-disk.js'
import type { VolumeKeep } from './volume-keep.js'

/** Longer zeroes are written in parts, in bytes: so many extents have to be active at a time. */
const zeroPart = 256 * 1024 * 1024
/** Of how many granules it is remembered which message they wait for: zeroes of any length cost the queue nothing. */
const unacknowledgedAtMost = 1024 * 1024

/** What a volume needs of its group. */
export interface VolumeGroup {
  readonly stream: GroupStream
  /** Whether writes are marked and sent. */
  readonly isProtecting: boolean
  /** What was to be written is in the image in part, or not at all. */
  writeFailed(): void
  /** The bitmap cannot be written. @throws the error where it cannot be made unreadable either: then nothing may be written */
  keepFailed(volume: ProtectedVolume, error: Error): void
}

/**
 * A guest's disk whose writes go to the image, and then into the group's stream. The guest waits for the image only, and for the
 * metadata where it writes to an extent for the first time in a while.
 */
export class ProtectedVolume implements BlockBackend, ReplicatedDisk {
  readonly name: string
  readonly number: number
  readonly size: number
  readonly image: GuardedImage
  readonly keep: VolumeKeep
  readonly ledger: GranuleLedger
  readonly readInto?: (offset: number, target: Uint8Array) => void
  readonly blockStatus?: (offset: number, length: number) => BlockExtent[] | Promise<BlockExtent[]>
  readonly #image: BlockBackend
  readonly #group: VolumeGroup
  readonly #underWay = new Set<Promise<unknown>>()
  /** Of the stream, what is not acknowledged, in bytes. */
  unacknowledged = 0

  constructor(
    group: VolumeGroup,
    { name, number, image, keep }: { name: string; number: number; image: BlockBackend; keep: VolumeKeep },
  ) {
    this.#group = group
    this.name = name
    this.number = number
    this.size = image.size
    this.#image = image
    this.image = new GuardedImage(image)
    this.keep = keep
    this.ledger = new GranuleLedger(keep.granules)
    if (image.readInto !== undefined) this.readInto = (offset, target) => image.readInto!(offset, target)
    if (image.blockStatus !== undefined) this.blockStatus = (offset, length) => image.blockStatus!(offset, length)
    for (const { granules } of keep.untrusted) for (const run of granules) this.ledger.unknown.addRun(run)
    for (const run of keep.marked.runs())
      for (let granule = run.first; granule < run.first + run.count; granule++)
        if (!this.ledger.unknown.has(granule)) this.ledger.differing.add(granule)
  }

  read(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    return this.#image.read(offset, length)
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    const { length } = data
    return this.#change(
      offset,
      length,
      () => this.#image.write(offset, data),
      () => this.#appendData(offset, data),
    )
  }

  writeZeroes(offset: number, length: number, options: ZeroOptions = {}): void | Promise<void> {
    // before anything is marked, as nothing is done
    if (options.fast) throw new NbdError('ENOTSUP', 'zeroes may be as slow as data')
    if (length > zeroPart) return this.#inParts(offset, length, (at, part) => this.writeZeroes(at, part, options))
    return this.#change(
      offset,
      length,
      () => this.#image.writeZeroes(offset, length, options),
      () => this.#append(offset, length, () => this.#appendZero(offset, length)),
    )
  }

  /**
   * What the image makes zero is zero at the hub, too; the image may leave the rest as it is. One that cannot tell what it made of it
   * is not asked at all.
   */
  trim(offset: number, length: number): void | Promise<void> {
    const { blockStatus } = this.#image
    if (blockStatus === undefined) return
    if (length > zeroPart) return this.#inParts(offset, length, (at, part) => this.trim(at, part))
    const zeroes: [offset: number, length: number][] = []
    return this.#change(
      offset,
      length,
      async () => {
        await this.#image.trim(offset, length)
        for (let at = offset, from = -1; at < offset + length && at > from; ) {
          from = at
          for (const extent of await blockStatus.call(this.#image, at, offset + length - at)) {
            const part = Math.min(extent.length, offset + length - at)
            if (extent.zero && part > 0) zeroes.push([at, part])
            at += extent.length
          }
        }
      },
      () => {
        for (const [at, part] of zeroes) this.#append(at, part, () => this.#appendZero(at, part))
      },
    )
  }

  /** Where the image fails it, what was written before may be lost there, though the hub has it: the next agent compares that. */
  async flush(): Promise<void> {
    try {
      await this.#image.flush()
    } catch (error) {
      await this.keep.doubt().catch(() => {})
      throw error
    }
  }

  mark(first: number, end: number): void {
    try {
      this.#mark(first, end)
    } catch {
      // no write is taken any more where it cannot be marked
    }
  }

  /** Settles when no write is under way. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await this.through()
  }

  /** Settles when the writes that are under way now are through. */
  async through(): Promise<void> {
    await Promise.allSettled([...this.#underWay])
  }

  /** @throws the file's error, where nothing may be written */
  #mark(first: number, end: number): void {
    try {
      this.keep.mark(first, end)
    } catch (error) {
      this.#group.keepFailed(this, error as Error)
    }
  }

  /** Marks, applies, appends: at once where the image does, and nobody else is at work there. */
  #change(offset: number, length: number, apply: () => void | Promise<void>, append: () => void): void | Promise<void> {
    if (length === 0) return
    if (!this.#group.isProtecting) {
      const done = apply()
      return done && this.#counted(done)
    }
    const first = firstGranule(offset)
    const end = granuleEnd(offset, length)
    if (!this.image.isFree(offset, length) || !this.keep.isActive(first, end))
      return this.#counted(this.image.alone(offset, length, () => this.#changeSlowly(first, end, apply, append)))
    this.#mark(first, end)
    let done: void | Promise<void>
    try {
      done = apply()
    } catch (error) {
      this.#failed(first, end)
      throw error
    }
    if (done === undefined) {
      append()
      return
    }
    const applied = done
    this.#enter(first, end)
    return this.#counted(this.image.alone(offset, length, () => this.#finish(first, end, applied, append)))
  }

  async #changeSlowly(
    first: number,
    end: number,
    apply: () => void | Promise<void>,
    append: () => void,
  ): Promise<void> {
    try {
      await this.keep.activate(first, end)
    } catch (error) {
      this.#group.keepFailed(this, error as Error)
      return apply()
    }
    this.ledger.enter(first, end)
    try {
      this.#mark(first, end)
    } catch (error) {
      this.ledger.leave(first, end)
      this.keep.release(first, end)
      throw error
    }
    await this.#finish(first, end, start(apply), append)
  }

  /** The image's write of granules that are active and marked. */
  async #finish(first: number, end: number, applied: Promise<void>, append: () => void): Promise<void> {
    try {
      await applied
      append()
    } catch (error) {
      this.#failed(first, end)
      throw error
    } finally {
      this.ledger.leave(first, end)
      this.keep.release(first, end)
    }
  }

  #enter(first: number, end: number): void {
    this.keep.use(first, end)
    this.ledger.enter(first, end)
  }

  #failed(first: number, end: number): void {
    this.ledger.differ(first, end)
    this.#group.writeFailed()
  }

  #appendData(offset: number, data: Uint8Array): void {
    const { stream } = this.#group
    const volume = this.number
    for (let at = 0; at < data.length; at += dataAtMost) {
      const part = data.length <= dataAtMost ? data : data.subarray(at, at + dataAtMost)
      const from = offset + at
      this.#append(from, part.length, () =>
        stream.append({ kind: 'write', volume, offset: from, data: part, channel: 0, sequence: 0, time: 0 }),
      )
    }
  }

  #appendZero(offset: number, length: number): number {
    return this.#group.stream.append({ kind: 'zero', volume: this.number, offset, length, ...unplaced })
  }

  #append(offset: number, length: number, append: () => number): void {
    const first = firstGranule(offset)
    const end = granuleEnd(offset, length)
    const sequence = append()
    if (sequence === 0) this.ledger.differ(first, end)
    else {
      this.unacknowledged += length
      this.ledger.written(first, end, sequence)
      if (this.ledger.unacknowledged > unacknowledgedAtMost) this.#group.stream.drop('queue-overflow')
    }
  }

  async #inParts(
    offset: number,
    length: number,
    work: (offset: number, length: number) => void | Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < length; at += zeroPart) await work(offset + at, Math.min(zeroPart, length - at))
  }

  async #counted(work: Promise<void>): Promise<void> {
    this.#underWay.add(work)
    try {
      await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}

/** What is done at once fails later, too. */
const start = async (work: () => void | Promise<void>): Promise<void> => work()
