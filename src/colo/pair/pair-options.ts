import type { HeartbeatLimits } from '../heartbeat.js'
import type { FreeSpace } from '../overlay-fill.js'
import type { ProtectOptions, ReadExtents } from '../protect/protect-options.js'
import type { PairEvent } from './pair-event.js'

/** What a pair is protected with, as `protect` takes it too. */
type Protected = Pick<
  ProtectOptions,
  'primary' | 'secondary' | 'disks' | 'driver' | 'equal' | 'speed' | 'overlays' | 'guest' | 'signal' | 'timeout'
>

/** A pair and how it is protected. */
export interface PairOptions extends Protected {
  /** Where the secondary listens, this address and no other, and the primary finds it. */
  host: string
  port: number
  /** Where it listens, if that is another address than the primary's way to it leads to (a forwarded port, say). */
  listen?: { host: string; port: number } | undefined
  /** The ids of the `tls-creds-…` objects of the two QEMUs. */
  tlsCreds?: { primary: string; secondary: string } | undefined
  /** The number of this protection: the caller keeps it, and each protection and take-over has a greater one. */
  epoch: number
  /** How the secondary is watched. */
  heartbeat?: Partial<HeartbeatLimits> | undefined
  /** How dirty parts of a secondary are read; without it they count as unknown. */
  readExtents?: ReadExtents | undefined
  /** How much room the secondary's overlays have; unknown without it. */
  freeSpace?: FreeSpace | undefined
  onEvent?: ((event: PairEvent) => void) | undefined
}
