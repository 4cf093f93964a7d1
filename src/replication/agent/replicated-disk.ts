import type { GranuleLedger } from './granule-ledger.js'
import type { GuardedImage } from './guarded-image.js'

/** A volume, as a resync sees it. */
export interface ReplicatedDisk {
  /** Within its group. */
  readonly number: number
  readonly image: GuardedImage
  readonly ledger: GranuleLedger
  /** Granules differ: so that it is known after the process, too. */
  mark(first: number, end: number): void
}
