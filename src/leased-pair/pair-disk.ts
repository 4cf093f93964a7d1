import type { ServedStatus } from '../protocol-d/control/served-status.js'

/** What a pair does with its node. */
export interface PairDisk {
  status(): ServedStatus
  onChange(changed: () => void): () => void
  promote(options: { number: number; force: boolean }, limits: { timeout: number }): Promise<void>
  /** Cuts its clients off, and makes it Secondary. */
  demote(options: { force: true; timeout: number }): Promise<void>
  discardOwnChanges(): Promise<void>
}
