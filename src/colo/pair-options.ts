import type { OverlayFiles } from './become-secondary.js'
import type { GuestControl } from './guest-control.js'
import type { HeartbeatLimits } from './heartbeat.js'
import type { FreeSpace } from './overlay-fill.js'
import type { PairEvent } from './pair-event.js'
import type { ReplicaDriver } from './primary.js'
import type { ReadExtents } from './protect-options.js'
import type { Side } from './side.js'

/** A pair and how it is protected. */
export interface PairOptions {
  primary: Side
  secondary: Side
  /** The disks, by their exports' names, which both sides have. */
  disks: readonly string[]
  /** Where the secondary listens, this address and no other, and the primary finds it. */
  host: string
  port: number
  /** Where it listens, if that is another address than the primary's way to it leads to (a forwarded port, say). */
  listen?: { host: string; port: number } | undefined
  /** The ids of the `tls-creds-…` objects of the two QEMUs. */
  tlsCreds?: { primary: string; secondary: string } | undefined
  /** The number of this protection: the caller keeps it, and each protection and take-over has a greater one. */
  epoch: number
  /** By default 'replication', and 'nbd' where the primary's QEMU lacks that driver. */
  driver?: ReplicaDriver | undefined
  /** The disks are equal, says the caller: nothing is copied. */
  equal?: boolean | undefined
  /** Bytes a second for each disk that is copied. */
  speed?: number | undefined
  /** Empty overlays for each disk of a secondary that was a primary until now. */
  overlays?: ReadonlyMap<string, OverlayFiles> | undefined
  /** How the primary's guest is stopped and resumed; QEMU's own stop and cont by default. */
  guest?: GuestControl | undefined
  /** How the secondary is watched. */
  heartbeat?: Partial<HeartbeatLimits> | undefined
  /** How dirty parts of a secondary are read; without it they count as unknown. */
  readExtents?: ReadExtents | undefined
  /** How much room the secondary's overlays have; unknown without it. */
  freeSpace?: FreeSpace | undefined
  onEvent?: ((event: PairEvent) => void) | undefined
  signal?: AbortSignal | undefined
  /** For a single command, in milliseconds: 10 s by default. */
  timeout?: number | undefined
}
