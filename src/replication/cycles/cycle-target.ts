import type { BlockBackend } from '../../nbd/block-backend.js'

/** What a cycle is about, besides the reason for it. */
export interface CycleStart {
  /** Its number: 1, 2, 3, …; failed ones count too. */
  cycle: number
  /** The volumes that are sent whole, and why; of the others only what changed comes. */
  whole: readonly WholeVolume[]
  /** How much is to come of each volume, in bytes; what the guest writes meanwhile aside. */
  due: readonly { volume: string; bytes: number }[]
}

/** A volume of which nothing is known that the hub holds. */
export interface WholeVolume {
  volume: string
  reason: WholeReason
}

/**
 * Why a volume is sent whole: `new` to this replica; `unfinished`, the first copy did not end; `bitmap missing`, as when QEMU was killed, or
 * kept it in memory only; `bitmap inconsistent`, QEMU was killed; `bitmap stopped`, somebody disabled it; `bitmap outdated`, it is
 * of an older moment of this replica than the last one that the hub has; `distrusted`, as the caller said.
 */
export type WholeReason =
  | 'new'
  | 'unfinished'
  | 'bitmap missing'
  | 'bitmap inconsistent'
  | 'bitmap stopped'
  | 'bitmap outdated'
  | 'distrusted'

/**
 * Takes the cycles of a group: what an agent has between QEMU and the hub. Its backends answer as soon as they have the data, in memory or
 * in a file, and never wait for the hub: the guest may wait for them.
 */
export interface CycleTarget {
  /** A cycle begins: what comes now is no moment of the guest's disks until `complete`. */
  begin(reason: string, start: CycleStart): void
  /** Where a volume's data goes; only written to. The same one for all cycles. */
  backend(volume: string): BlockBackend
  /**
   * All of the cycle is there. Settles when the hub has it durably.
   *
   * @param time of the cycle's moment, in microseconds since 1970: the content has all that was written before it
   */
  complete(time: number): Promise<void>
  /** The cycle failed after `begin`: what came of it may be partial. The next one sends all of it again. */
  abort(reason: string): void
}
