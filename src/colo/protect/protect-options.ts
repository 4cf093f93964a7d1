import type { Limits } from '../../link/limits.js'
import type { ReplicaHealth } from '../../qmp/replica-health.js'
import type { Extent } from '../copy/copy-changes.js'
import type { CopyProgress, SecondaryAddress } from '../copy/disk-copy.js'
import type { SyncPlan } from '../copy/sync-plan.js'
import type { ListenAddress } from '../exports/nbd-server.js'
import type { GuestControl } from '../guest-control.js'
import type { HeartbeatLimits } from '../heartbeat.js'
import type { ReplicaDriver } from '../primary.js'
import type { OverlayFiles } from '../rebuild/become-secondary.js'
import type { Side } from '../side.js'

/** Reads which parts of an export a dirty bitmap marks. */
export type ReadExtents = (
  where: { host: string; port: number; name: string; bitmap: string },
  limits: Limits,
) => Promise<Extent[]>

export interface ProtectOptions {
  primary: Side
  secondary: Side
  /** The disks, by their exports' names: on both sides. */
  disks: readonly string[]
  /** Where the primary finds the secondary. */
  address: SecondaryAddress
  /** Where the secondary listens. */
  listen: ListenAddress
  epoch: number
  /** By default 'replication', and 'nbd' where the primary's QEMU lacks that driver. */
  driver?: ReplicaDriver | undefined
  /** The disks are equal, says the caller: nothing is copied. */
  equal?: boolean | undefined
  /** Bytes a second for each disk that is copied. */
  speed?: number | undefined
  /** Empty overlays for each disk of a secondary that was a primary until now. */
  overlays?: ReadonlyMap<string, OverlayFiles> | undefined
  /** How the primary's guest is stopped for the switch; QEMU's own stop and cont by default. */
  guest?: GuestControl | undefined
  readExtents: ReadExtents
  /** What the primary's quorums report, from before this began. */
  health: ReplicaHealth
  onPlan?: ((disk: string, plan: SyncPlan) => void) | undefined
  onProgress?: CopyProgress | undefined
  heartbeat?: HeartbeatLimits | undefined
  signal?: AbortSignal | undefined
  /** For a single command, in milliseconds: 10 s by default. A copy has no limit, as long as it gets on. */
  timeout?: number | undefined
}
