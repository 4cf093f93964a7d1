export interface JournalLimits {
  /** Older records are folded into the images while the journal is larger, in bytes. */
  bytes?: number | undefined
  /** Records older than this are folded, in microseconds, counted back from the newest record's time, and by `now`, too. */
  history?: number | undefined
  /** A journal that is larger, though nothing may be folded, takes no more data; in bytes. Without it the disk is the limit. */
  hardBytes?: number | undefined
  /** How many names there may be: of more, the oldest are forgotten. 2000 by default, at most 10,000. */
  names?: number | undefined
}

export interface JournalOptions {
  /** A segment that has got so large is followed by a new one, in bytes. 64 MiB by default, at most 1 GiB. */
  segmentSize?: number | undefined
  limits?: JournalLimits | undefined
  /** Another clock than that of the records, in microseconds: one that jumps ahead makes nothing old. */
  now?: (() => number) | undefined
  /** Data is deflated where that saves an eighth. */
  compress?: boolean | undefined
}

export const defaultNames = 2000
export const defaultSegmentSize = 64 * 1024 * 1024
/** Places in a segment are numbers of 32 bits. */
export const segmentSizeAtMost = 1024 * 1024 * 1024
