import type { AgentClock } from './agent-clock.js'
import type { ProtectedVolume } from './protected-volume.js'
import type { Base } from './volume-record.js'

/** How often bits are cleared in the files, in milliseconds. */
const clearEvery = 2000

export interface GroupBaseOptions {
  volumes: readonly ProtectedVolume[]
  clock: AgentClock
  /** Whether writes are marked. */
  isProtecting(): boolean
}

/** What the bitmaps of a group rest on, in memory and in the volumes' records; and whether they are believed. */
export class GroupBase {
  readonly #options: GroupBaseOptions
  #base: Base | undefined
  /** How many streams there were of which a base can be. */
  #streams: number
  /** Whether the records say that the bitmaps rest on this stream. */
  #isRecorded = false
  #clearing: Disposable | undefined
  #isClearing = false

  constructor(options: GroupBaseOptions) {
    this.#options = options
    const records = options.volumes.map(({ keep }) => keep.record)
    this.#streams = Math.max(...records.map(({ streams }) => streams))
    this.#base = newestBase(records)
    this.#clearLater()
  }

  /** Undefined where all is compared. */
  get current(): Base | undefined {
    return this.#base
  }

  /** Another stream begins. */
  begin(): void {
    this.#isRecorded = false
  }

  /** The hub has so much of the stream durably. */
  advance(base: Base): void {
    this.#base = base
    if (this.#isRecorded) return
    // at once: a hub that has some of this stream holds no earlier one any more
    this.#isRecorded = true
    this.#streams++
    for (const { keep } of this.#options.volumes) kept(keep.rebase(base, this.#streams))
  }

  /** The disks are durably equal to what the hub has at this base. @throws a file's error */
  async replace(base: Base): Promise<void> {
    this.#streams++
    // a crash before this compares, or sends, what the bits say
    for (const { keep } of this.#options.volumes) await keep.rebase(base, this.#streams)
    this.#base = base
  }

  /** The hub has durably all that was compared and sent. Where that cannot be written, the next write to the metadata tells. */
  trustSoon(): void {
    for (const { keep } of this.#options.volumes) kept(keep.trust())
  }

  /** All is compared by who opens it next. @throws a file's error */
  async distrust(reason: 'other-replica' | 'was-unprotected'): Promise<void> {
    // one that has its reason keeps it, and is saved as well: it may not be durable yet
    await Promise.all(this.#options.volumes.map(({ keep }) => keep.distrust(keep.record.compare ?? reason)))
  }

  /** The hub has nothing that the bitmaps rest on. */
  drop(): void {
    this.#base = undefined
    this.compareAll()
  }

  /** Nothing is known of any granule. */
  compareAll(): void {
    for (const { ledger, keep } of this.#options.volumes) {
      ledger.differing.clear()
      ledger.unknown.addRun({ first: 0, count: keep.granules })
    }
  }

  /** Takes the bits from the files that stand for no difference any more. */
  async clear(): Promise<void> {
    const base = this.#base
    if (this.#isClearing || base === undefined || !this.#options.isProtecting()) return
    this.#isClearing = true
    for (const { ledger, keep } of this.#options.volumes) {
      if (!ledger.hasEqual) continue
      // one that was written since, and is equal again, rests on a later base than this
      const isStill = (granule: number) => ledger.isEqual(granule) && !ledger.isNewlyEqual(granule)
      await kept(keep.unmark(ledger.takeEqual(), isStill, base, this.#streams))
    }
    this.#isClearing = false
  }

  /** Clears no more by itself. */
  close(): void {
    this.#clearing?.[Symbol.dispose]()
    this.#clearing = undefined
  }

  #clearLater(): void {
    const clearing = this.#options.clock.after(clearEvery, () => {
      this.clear().then(() => {
        if (this.#clearing === clearing) this.#clearLater()
      })
    })
    this.#clearing = clearing
  }
}

/** Where the metadata cannot be written, the next write to it tells. */
async function kept(done: Promise<void>): Promise<void> {
  await done.catch(() => {})
}

/** Of the latest stream, and the most of it: of none of the volumes were bits cleared that rest on more. */
function newestBase(records: readonly { base: Base | null; streams: number }[]): Base | undefined {
  let newest: { base: Base | null; streams: number } | undefined
  for (const record of records) {
    const isNewer =
      newest === undefined ||
      record.streams > newest.streams ||
      (record.streams === newest.streams && (record.base?.sequence ?? 0) > (newest.base?.sequence ?? 0))
    if (isNewer) newest = record
  }
  return newest?.base ?? undefined
}
