import type { KeepRecord } from '../../keep/metadata.js'
import type { LogStart } from './log-file.js'

/** How good a node's data is, as far as it knows by itself. */
export type KeptDisk = 'inconsistent' | 'outdated' | 'consistent'

/** Which writes of a primary count at the other side: each (as protocol A), or those of checkpoints (protocol D). */
export type StreamMode = 'direct' | 'checkpoints'

/** The generations of a node's data, by which two nodes find out who went on without whom. */
export interface Generations {
  /** Of the data as it is; '' where no node has written any. */
  current: string
  /** Those that the peer may have, to which the bitmap says the difference; the latest last. Empty while both have the current one. */
  bases: readonly string[]
  /** Earlier ones, to which no bitmap says the difference; the latest last. */
  history: readonly string[]
}

/** What a node must not forget, but for the bitmap. */
export interface MetaRecord extends KeepRecord {
  /** Which pair this is; the same on both nodes. */
  pair: string
  logSize: number
  disk: KeptDisk
  generations: Generations
  /** Primary where the node was not demoted: a crash is seen by that. */
  role: 'primary' | 'secondary'
  /** Of what it writes as primary. `checkpoints` after a crash: its last checkpoint is unfinished. */
  mode: StreamMode
  /** How many checkpoints were committed: as secondary those received, as primary those acknowledged. */
  checkpoint: number
  /** The highest number of a promotion that it has heard of; as Primary that of its own. 0 where none had a number. */
  promotion: number
  /** Whether the node acknowledges checkpoints that are not durable yet. */
  isVolatile: boolean
  /** Where the epoch log begins: the first record that may not be applied yet. */
  log: LogStart
}
