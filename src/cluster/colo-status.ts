/** What a node's own disks are worth: that of the worst, in this order. */
export const dataWorths = [
  /** A secondary's that holds the last checkpoint. */
  'checkpoint',
  /** A primary's, and nobody was promoted later for all that is known here. */
  'whole',
  /** Nothing is known of it. */
  'new',
  /** A later promotion was made elsewhere, or the primary went on without it. */
  'outdated',
  /** It was written to after the last checkpoint, and what undoes that is not certain. */
  'unknown',
  /** Half a copy. */
  'half',
] as const

export type DataWorth = (typeof dataWorths)[number]

/** What a node of a guest under COLO says of itself. */
export interface ColoStatus {
  role: 'primary' | 'secondary'
  /** Whether the guest runs here. */
  isRunning: boolean
  /** Of a primary: whether its peer has all that counts. */
  pair:
    | 'none'
    /** The guest stands still until the cluster says that it may go on alone. */
    | 'asking'
    | 'alone'
    | 'protected'
  data: DataWorth
  /** The number of the last promotion that it has heard of. */
  promotion: number
  /** The number of the later promotion that fenced it. */
  fencedBy: number | undefined
  /** Both nodes have what counts, each its own. */
  isSplit: boolean
  /** What failed. */
  failure: string | undefined
  /** How many checkpoints it has taken since it was promoted. */
  checkpoints: number
  /** What it waits for, or tries again. */
  why: string
}
