import type { KeptDisk, StreamMode } from '../keep/meta-record.js'
import type { Core } from './core.js'
import type { Phase } from './link.js'

/** What a node says of itself. Sizes are in bytes. */
export interface NodeStatus {
  role: 'primary' | 'secondary'
  /** Of two Primaries, the one that writes. */
  isWriter: boolean
  disk: KeptDisk
  connection: 'none' | Phase
  /** Why it is undecided or refused; or why the last connection was ended, until the nodes meet again. */
  why: string
  /** The nodes do not fit together, connected or not: an administrator has to decide. */
  isRefused: boolean
  peerRole: 'primary' | 'secondary' | 'unknown'
  /** Of what is written on a Primary, or received by a Secondary. */
  mode: StreamMode
  /** The last one that was committed. */
  checkpoint: number
  generation: string
  /** The highest number of a promotion that it has heard of; as Primary that of its own. 0 where none had a number. */
  promotion: number
  /** Of a Primary that is none any more: the number of the later promotion. */
  fencedBy: number | undefined
  /** It is Primary, has no peer that holds the same, and its guest's writes wait until it may go on alone. */
  asksAlone: boolean
  /** What may differ from the peer's data. */
  differing: number
  /** Of a resync, what is left to be sent. */
  toCopy: number
  /** What was received of the epoch that is not committed. */
  openEpoch: number
  /** How many writes the peer has not acknowledged. */
  unacknowledged: number
  /** The log is full: the peer has to wait. */
  isFull: boolean
  /** What it wrote alone does not count at the next meeting. */
  discards: boolean
  /** A file failed: the node does nothing any more. */
  failure: string | undefined
}

export function statusOf({
  record,
  metadata,
  link,
  log,
  isWriter,
  why,
  isRefused,
  discards,
  failure,
  geometry,
  fencedBy,
  asksAlone,
}: Core): NodeStatus {
  const { role, disk, mode, checkpoint, promotion, generations } = record
  return {
    role,
    isWriter,
    disk,
    connection: link?.phase ?? 'none',
    why: link?.why || why,
    isRefused,
    peerRole: link === undefined || link.phase === 'hello' ? 'unknown' : link.peer.role,
    mode: role === 'primary' && (isWriter || link === undefined) ? mode : (link?.receiver?.mode ?? 'direct'),
    checkpoint,
    generation: generations.current,
    promotion,
    fencedBy,
    asksAlone,
    differing: metadata.differing.size * geometry.blockSize,
    toCopy: (link?.source?.left ?? 0) * geometry.blockSize,
    openEpoch: log.openBytes,
    unacknowledged: link?.sender.unacknowledged ?? 0,
    isFull: link?.receiver?.isFull ?? false,
    discards,
    failure: failure?.message,
  }
}
