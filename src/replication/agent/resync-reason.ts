import type { CompareReason } from './volume-record.js'

/** Why a replica has to be brought up to date. */
export type ResyncReason =
  | CompareReason
  /** The agent began anew: what it had not sent is in the bitmap. */
  | 'restart'
  /** There was no room any more for what the hub had not acknowledged. */
  | 'queue-overflow'
  /** The hub took no more. */
  | 'hub-stopped'
  | 'paused'
  /** The image failed a write: it may have any of it. */
  | 'write-failed'
  /** A copy of what changed failed; the next one has all of it again. */
  | 'failed-copy'
  /** QEMU's monitor was gone. */
  | 'qemu-gone'
  /** The first copy of the volume did not come to its end. */
  | 'unfinished'
  /** QEMU's dirty bitmaps, without which nothing is known of what changed. */
  | 'bitmap-missing'
  | 'bitmap-inconsistent'
  | 'bitmap-stopped'
  | 'bitmap-outdated'

const texts: Readonly<Record<ResyncReason, string>> = {
  'new-volume': 'nothing was known of the volume',
  'other-size': 'the volume has another size',
  'unreadable-record': 'the metadata could not be read',
  'torn-page': 'a page of the bitmap was damaged',
  'host-crash': 'the host went down',
  'other-replica': 'the hub has another replica, or lost what it had',
  'was-unprotected': 'the volume was written to unprotected',
  'other-image': 'the volume has another image',
  'written-beside': 'the image was written to without the agent',
  'flush-failed': 'the image failed a flush',
  restart: 'the agent was started again',
  'queue-overflow': 'the queue was full',
  'hub-stopped': 'the hub took no more',
  paused: 'the protection was paused',
  'write-failed': 'the image failed a write',
  'failed-copy': 'a copy of what changed failed',
  'qemu-gone': 'the monitor of QEMU was gone',
  unfinished: 'the first copy of the volume was not finished',
  'bitmap-missing': 'QEMU has no bitmap any more of what changed',
  'bitmap-inconsistent': 'QEMU did not close the bitmap of what changed',
  'bitmap-stopped': 'the bitmap of what changed was disabled',
  'bitmap-outdated': 'the bitmap of what changed is of another moment',
}

/** As a sentence's part. */
export const resyncText = (reason: ResyncReason): string => texts[reason]
