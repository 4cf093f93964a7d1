import type { OverlayFiles } from '../../colo/rebuild/become-secondary.js'
import type { Side } from '../../colo/side.js'
import type { Limits } from '../../link/limits.js'
import type { Visit, Welcome } from './greeting.js'
import type { NodeRecord } from './node-record.js'

/** The other node, as a primary reaches it. */
export interface Peer extends AsyncDisposable {
  side: Side
  /** Has it make overlays for its disks that have none. */
  prepare(disks: readonly string[], limits: Limits): Promise<ReadonlyMap<string, OverlayFiles>>
}

/** That the other node does not let this one in. */
export class PeerRefusal extends Error {
  override readonly name = 'PeerRefusal'
  /** The number of the last promotion that it has heard of. */
  readonly promotion: number
  readonly isForced: boolean

  constructor({ promotion, isForced, why }: Extract<Welcome, { isIn: false }>) {
    super(why)
    this.promotion = promotion
    this.isForced = isForced
  }
}

/** What a node of a guest needs of the world. */
export interface GuestHost {
  /** This node's name, and the other one's. */
  readonly node: string
  readonly peer: string
  /** Its own QEMU. */
  readonly own: Side
  /** The guest's disks, by their exports' names. */
  readonly disks: readonly string[]
  /** Between two checkpoints, in milliseconds. */
  readonly every: number
  /** Where the other node's QEMU listens for this one's. */
  readonly address: { host: string; port: number }
  /** Reaches the other node. @throws PeerRefusal; any other Error where it does not answer */
  reach(visit: Omit<Visit, 'channel' | 'nonce'>, limits: Limits): Promise<Peer>
  /** The overlays that a disk of this node has, or had. */
  overlaysOf(disk: string): OverlayFiles
  hasOverlays(files: OverlayFiles): boolean
  /** Keeps a record; resolves when it is durable. */
  keep(record: NodeRecord): Promise<void>
  /** Whether what was written here alone is not to be overwritten, and that it is so from now on. */
  isSplit(): boolean
  setSplit(why: string): void
  /** Asks the cluster. @throws Error where it says no, or is not to be asked */
  mayGoOnAlone(signal: AbortSignal): Promise<void>
  isEqual(): Promise<void>
  say(text: string): void
}
