import type { Run } from './journal-seam.js'

/** The disks that a group is failed back to. */
export interface PrimarySide {
  /** Which agent has them: it may attach afterwards. */
  readonly agent: string
  /** What may differ there from all that the hub has had of it, in bytes. */
  differing(volume: number): Promise<readonly Run[]>
  write(volume: number, offset: number, data: Uint8Array): Promise<void>
  /** Settles when all that was written is durable there. */
  flush(): Promise<void>
}
