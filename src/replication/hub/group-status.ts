import type { VolumeInfo, VolumeReport } from '../wire/message.js'
import type { BranchRecord, Life, TakeOver } from './group-record.js'
import type { Point } from './journal-seam.js'

/**
 * - `empty`: no agent has ever sent it;
 * - `syncing`: an agent is there, and the replica is being made equal;
 * - `protected`: an agent is there, and the newest moment is consistent;
 * - `disconnected`: no agent is there;
 * - `full`: the hub takes no data of it;
 * - `failed`: its journal or its record fails; `problem` says why;
 * - those of its life, while it is failed over.
 */
export type GroupState =
  | 'empty'
  | 'syncing'
  | 'protected'
  | 'disconnected'
  | 'full'
  | 'failed'
  | Exclude<Life['state'], 'protected'>

export interface BranchStatus extends BranchRecord {
  /** How much was written to it, in bytes. */
  written: number
  /** Why it cannot be served. */
  lost?: string | undefined
  /** What an NBD client asks for. */
  exports: readonly string[]
}

/** What goes on that takes long, and how far it has come, in bytes. */
export interface Busy {
  what: string
  done: number
  all: number
  /** It waits until the recovery guest has gone: how many NBD clients there are, and what is left to be copied then, in bytes. */
  waits?: { clients: number; left: number } | undefined
}

/** Times are in microseconds since 1970: those of points by the agent's clock, all else by the hub's. */
export interface GroupStatus {
  name: string
  state: GroupState
  /** Since when, where that is known. */
  since?: number | undefined
  problem?: string | undefined
  /** Why the replica is no moment of the guest's disks. */
  unsettled?: string | undefined
  epoch: number
  term: number
  replica: string
  /** Who sends it, or did. */
  agent?: string | undefined
  isAttached: boolean
  /** When its agent sent anything last; undefined where it has not since the hub was started. */
  heard?: number | undefined
  /**
   * For how long, in seconds, the hub may lack what was written at its agent's, for all that it knows: until then it had everything. Undefined
   * where it does not know since when.
   */
  mayLack?: number | undefined
  /** Nobody gets the disks of its fail-over. */
  isHeld?: boolean | undefined
  takeOver?: TakeOver | undefined
  volumes: readonly VolumeInfo[]
  /** The newest moment that can be started. */
  newest?: Point | undefined
  /** How much was received that is not durable, in bytes. */
  lag: number
  /** In which all moments can be started: the newest 1000 ranges. */
  history: readonly { from: Point; to: Point }[]
  branches: readonly BranchStatus[]
  /** What goes on that takes long. */
  busy?: Busy | undefined
  used: { journalBytes: number; imageBytes: number; overlayBytes: number }
  limits: {
    journalBytes: number
    history: number
    imageBytes: number
    overlayBytes: number
    branches: number
    checkpoints: number
  }
  /** What its agent says of its volumes. */
  reported: readonly VolumeReport[]
}
