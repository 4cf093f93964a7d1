import type { KeepRecord } from '../../keep/metadata.js'

/** What a bitmap rests on: it tells all that differs from a replica which holds so much of that stream. */
export interface Base {
  replica: string
  stream: string
  sequence: number
}

/** Why all of a volume, or some of it, is compared with the replica, and not only sent. */
export type CompareReason =
  /** Nothing is known of it yet. */
  | 'new-volume'
  /** It has another size than before. */
  | 'other-size'
  | 'unreadable-record'
  /** A page of the bitmap was torn, or was another's. */
  | 'torn-page'
  /** The host went down: what was being written may be there or not. */
  | 'host-crash'
  /** The hub has a replica that the bitmap says nothing of: a new one, or one that lost what it had acknowledged. */
  | 'other-replica'
  /** It was written to while nothing was marked. */
  | 'was-unprotected'
  /** Its image is another file. */
  | 'other-image'
  /** Its image was written to after the agent had ended. */
  | 'written-beside'
  /** The image failed a flush: what was written before may be there or not. */
  | 'flush-failed'

/** What an agent must not forget of a volume, but for its bitmap. */
export interface VolumeRecord extends KeepRecord {
  kind: 'xenlight-replica-volume'
  /** The volume's id. */
  volume: string
  /** Which image it is, where that can be told. */
  image?: string | undefined
  /** When the image was written to last, of one that an agent has closed; by any text. */
  written?: string | undefined
  /** The host's boot in which the bitmap was last known to be whole; empty where the image may have lost writes since. */
  boot: string
  /** Why all of it is to be compared, where it is. */
  compare: CompareReason | null
  base: Base | null
  /** Grows with each stream that a base is of: of a group's volumes the largest says the base of all. */
  streams: number
}
