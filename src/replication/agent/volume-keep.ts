import type { BlockRun, BlockSet } from '../../keep/block-set.js'
import type { Geometry } from '../../keep/geometry.js'
import { createMetadata, type Kept, loadMetadata, Metadata } from '../../keep/metadata.js'
import { ReplicationError } from '../replication-error.js'
import { granuleSize } from '../wire/message.js'
import { KeepFiles } from './keep-files.js'
import type { VolumeFiles } from './volume-files.js'
import type { Base, CompareReason, VolumeRecord } from './volume-record.js'

/** The activity log: how many granules an extent has, and how many of them may be active. */
export type ActivityLimits = Required<Pick<Geometry, 'extentBlocks' | 'activeExtents' | 'roomAhead'>>

/** 4 MiB, and 1,237, as DRBD has them. */
const usualLimits: ActivityLimits = { extentBlocks: 64, activeExtents: 1237, roomAhead: 64 }
/** How many extents become active together where somebody writes one after the other. */
const extentsAhead = 8

export interface KeptVolume {
  id: string
  /** In bytes. */
  size: number
  /** Which image it is: another text where it is another one. */
  image?: string | undefined
  /** When the image was written to last, by any text that every write changes; undefined where that cannot be told. */
  written?: string | undefined
  /** The host's boot, by any name that no other one has. */
  boot: string
  /** Not for a volume that is there already: it keeps its extents. */
  activity?: ActivityLimits | undefined
}

/** Some granules that the bitmap cannot be trusted for, and why. */
export interface Untrusted {
  reason: CompareReason
  granules: readonly BlockRun[]
}

/**
 * What survives of a volume when its agent ends, or its host: which granules may differ from the replica, and from which. A granule is in the
 * file before it is written to; where the host may forget that, its extent is active, durably.
 */
export class VolumeKeep {
  readonly #metadata: Metadata<VolumeRecord>
  readonly #files: VolumeFiles
  readonly #boot: string
  #distrusts = 0
  readonly granules: number
  /** What was found at the beginning. */
  readonly untrusted: readonly Untrusted[]

  private constructor(files: VolumeFiles, metadata: Metadata<VolumeRecord>, boot: string) {
    this.#files = files
    this.#metadata = metadata
    this.#boot = boot
    this.granules = metadata.differing.blocks
    this.untrusted = this.#findUntrusted()
    for (const { reason, granules } of this.untrusted)
      if (reason === 'host-crash' || reason === 'flush-failed')
        for (const { first, count } of granules) metadata.mark(first, first + count)
  }

  /**
   * Reads what was kept, or begins anew where there is nothing that fits to the volume: then all of it is untrusted.
   *
   * @throws ReplicationError wrong-state where it is another volume's; the file's error
   */
  static async open(
    files: VolumeFiles,
    { id, size, image, written, boot, activity: limits = usualLimits }: KeptVolume,
  ): Promise<VolumeKeep> {
    const host = new KeepFiles(files)
    const isNew = files.meta.size === 0
    const load = () => called<Kept<VolumeRecord> | undefined>(done => loadMetadata(host, limits, done))
    let kept = await load()
    const record = kept?.record.record
    if (record !== undefined && (record.kind !== 'xenlight-replica-volume' || record.volume !== id))
      throw new ReplicationError(
        'wrong-state',
        `the metadata is not that of volume ${id}: give each volume its own file`,
      )
    if (kept === undefined || record?.size !== size) {
      const compare = isNew ? 'new-volume' : kept === undefined ? 'unreadable-record' : 'other-size'
      const geometry = { size, blockSize: granuleSize, ...limits }
      const fresh: VolumeRecord = {
        ...{ kind: 'xenlight-replica-volume', volume: id, image, size, blockSize: granuleSize },
        ...{ extentBlocks: limits.extentBlocks, boot, compare, base: null, streams: 0, activity: [] },
      }
      await called<void>(done => createMetadata(host, geometry, fresh, done))
      kept = await load()
      if (kept === undefined) throw new ReplicationError('file-failed', 'the metadata cannot be read back')
    }
    const metadata = new Metadata(host, kept)
    const { compare, ...before } = metadata.record
    const reason =
      before.image !== image ? 'other-image' : isOther(before.written, written) ? 'written-beside' : undefined
    if (reason !== undefined)
      await called<void>(done =>
        metadata.save({ image, written: undefined, compare: compare ?? reason, base: null }, done),
      )
    // before it is written to
    else if (before.written !== undefined) await called<void>(done => metadata.save({ written: undefined }, done))
    return new VolumeKeep(files, metadata, boot)
  }

  get record(): Readonly<VolumeRecord> {
    return this.#metadata.record
  }

  /** The granules that the file says may differ. */
  get marked(): BlockSet {
    return this.#metadata.differing
  }

  /** Some granules are about to be written. @throws the file's error, now and from then on */
  mark(first: number, end: number): void {
    this.#metadata.mark(first, end)
  }

  /** Whether granules may be written at once; where not, after `activate`. */
  isActive(first: number, end: number): boolean {
    return this.#metadata.isActive(first, end)
  }

  /** Settles when granules may be written. `release` follows. @throws the file's error */
  async activate(first: number, end: number): Promise<void> {
    const ahead = this.#isSequential(first) ? this.#ahead(end) : end
    await called<void>(done => this.#metadata.activate(first, ahead, done))
    const { extentBlocks } = this.record
    const next = Math.ceil(end / extentBlocks) * extentBlocks
    if (next < ahead) this.#metadata.deactivate(next, ahead)
  }

  /** The same where they are active. */
  use(first: number, end: number): void {
    this.#metadata.activate(first, end, () => {})
  }

  release(first: number, end: number): void {
    this.#metadata.deactivate(first, end)
  }

  /** What the bitmap rests on from now on, durably. */
  rebase(base: Base, streams: number): Promise<void> {
    return called(done => this.#metadata.save({ base, streams }, done))
  }

  /** Takes granules from the file that are equal, and stay so until it is done; first of all the record says what that rests on. */
  unmark(
    granules: Iterable<number>,
    isEqual: (granule: number) => boolean,
    base: Base,
    streams: number,
  ): Promise<void> {
    return called(done => this.#metadata.unmark(granules, isEqual, { base, streams }, done))
  }

  /** All is to be compared, whatever ends in the meantime. */
  distrust(reason: CompareReason): Promise<void> {
    this.#distrusts++
    return called(done => this.#metadata.save({ compare: reason, base: null }, done))
  }

  /**
   * All was compared that was to be. What was compared may not be durable in the image, where it was written while nothing was active: a crash of
   * the host would take it back, and nobody would compare it again. So the image is synced first.
   */
  async trust(): Promise<void> {
    const { compare, boot } = this.record
    if (compare === null && boot === this.#boot) return
    const turn = this.#distrusts
    await this.#files.syncImage()
    if (turn === this.#distrusts)
      await called<void>(done => this.#metadata.save({ compare: null, boot: this.#boot }, done))
  }

  /**
   * The image failed a flush: of what is active it may have lost any write, also one that the hub has. Whoever opens it next compares that. No later
   * flush of it may succeed.
   */
  doubt(): Promise<void> {
    return called(done => this.#metadata.save({ boot: '' }, done))
  }

  /** The image is durable and nothing is active. Nothing may be under way to it. */
  settle(): Promise<void> {
    return called(done => this.#metadata.settle({}, done))
  }

  /** Nothing is written any more. @param written as `KeptVolume` has it: whoever opens it next sees whether that is so */
  end(written: string | undefined): Promise<void> {
    return called(done => this.#metadata.save({ written }, done))
  }

  /** It cannot be kept any more: whoever opens it next must not believe it. @throws where that cannot be said either */
  discard(): void {
    this.#files.discardMeta()
  }

  close(): void {
    this.#files.meta.close()
  }

  #findUntrusted(): Untrusted[] {
    const { compare, boot, activity } = this.record
    if (compare !== null) return [{ reason: compare, granules: [{ first: 0, count: this.granules }] }]
    const untrusted: Untrusted[] = []
    const { torn } = this.#metadata
    if (torn.length > 0) untrusted.push({ reason: 'torn-page', granules: torn })
    if (boot !== this.#boot && activity.length > 0) {
      const granules = activity.map(extent => this.#metadata.blocksOf(extent))
      untrusted.push({ reason: boot === '' ? 'flush-failed' : 'host-crash', granules })
    }
    return untrusted
  }

  #isSequential(first: number): boolean {
    const { extentBlocks } = this.record
    return first >= extentBlocks && this.#metadata.isActive(first - extentBlocks, first - extentBlocks + 1)
  }

  #ahead(end: number): number {
    const { extentBlocks } = this.record
    const ahead = Math.min(extentsAhead - 1, Math.floor(this.#metadata.geometry.activeExtents / 4))
    return Math.min(this.granules, (Math.ceil(end / extentBlocks) + ahead) * extentBlocks)
  }
}

const isOther = (before: string | undefined, now: string | undefined): boolean =>
  before !== undefined && now !== undefined && before !== now

/** As a promise what calls back with an error or a value. */
function called<Value>(call: (done: (error?: Error, value?: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) =>
    call((error, value) => (error !== undefined ? reject(error) : resolve(value as Value))),
  )
}
