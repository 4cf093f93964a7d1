import { granuleSize } from '../wire/message.js'
import type { ResyncReason } from './resync-reason.js'

/** How a volume is protected, at this moment. Bytes are undefined where QEMU has the image, and they are not known here. */
export type VolumeState =
  | { state: 'unprotected' }
  /** For the first time; or again. */
  | ({ state: 'syncing' | 'resyncing' } & Progress)
  /** The hub said within the heartbeat that it has a moment of the group, and all later writes are on their way. */
  | { state: 'protected'; lag: { bytes: number | undefined; seconds: number } }
  /** The hub does not get what is written: the queue and the bitmap know what it lacks. */
  | { state: 'degraded'; since: number; bytes: number | undefined; why: string }
  | { state: 'paused'; since: number; bytes: number | undefined }
  | ({ state: 'failed' } & Failure)

/** Why nothing goes on before somebody has helped. */
export interface Failure {
  why: string
  /** Of those of ReplicationError, where it is known: `fenced` says that another side has taken the group over. */
  code?: string | undefined
}

export interface Progress {
  reason: ResyncReason
  /** How much there was to compare or to send, and how much is left, in bytes. */
  bytes: number | undefined
  left: number | undefined
  /** How long it takes, as it looks; undefined where nothing is known of that yet. */
  seconds: number | undefined
}

/** What is known of a group; times in milliseconds of the clock's uptime, `now` and `since` in microseconds since 1970. */
export interface GroupFacts {
  isProtecting: boolean
  isPaused: boolean
  failure: Failure | undefined
  isAttached: boolean
  /** Why it is not attached. */
  standstill: string | undefined
  now: number
  uptime: number
  heard: number | undefined
  /** For how long a hub may be silent. */
  heartbeat: number
  /** Since when it is not as it should be. */
  since: number
  isSettled: boolean
  isFirst: boolean
  resync: { reason: ResyncReason; startedAt: number; total: number; left: number; failure: string | undefined }
  /** When the oldest message was made that is not acknowledged. */
  oldest: number | undefined
}

/** What is known of a volume besides. */
export interface VolumeFacts {
  /** How many granules may differ from the replica. */
  differing: number
  /** How many bytes of the guest's writes are in the queue. */
  unacknowledged: number
}

export function volumeState(group: GroupFacts, volume: VolumeFacts): VolumeState {
  const { uptime, heard, since, resync } = group
  const bytes = volume.differing * granuleSize
  if (group.failure !== undefined) return { state: 'failed', ...group.failure }
  if (!group.isProtecting) return { state: 'unprotected' }
  if (group.isPaused) return { state: 'paused', since, bytes }
  if (!group.isAttached)
    return { state: 'degraded', since, bytes, why: group.standstill ?? 'there is no connection to the hub' }
  if (heard === undefined || uptime - heard > group.heartbeat)
    return {
      state: 'degraded',
      since: heard === undefined ? since : group.now - (uptime - heard) * 1000,
      bytes,
      why: 'the hub is silent',
    }
  if (group.isSettled) {
    const seconds = group.oldest === undefined ? 0 : (uptime - group.oldest) / 1000
    return { state: 'protected', lag: { bytes: volume.unacknowledged, seconds } }
  }
  if (resync.failure !== undefined) return { state: 'failed', why: resync.failure }
  return { state: group.isFirst ? 'syncing' : 'resyncing', ...progressOf(resync, uptime) }
}

function progressOf({ reason, startedAt, total, left }: GroupFacts['resync'], uptime: number): Progress {
  // what is written meanwhile may be sent once more
  const all = Math.max(total, left)
  const done = all - left
  const seconds = done === 0 ? undefined : ((uptime - startedAt) / 1000 / done) * left
  return { reason, bytes: all * granuleSize, left: left * granuleSize, seconds }
}

/** How far a recovery now would go back, and whether that is what is wanted. */
export interface RecoveryPoint {
  /** In seconds; undefined where the hub is not known to have any moment of the group. */
  behind: number | undefined
  /** What is wanted, in seconds. */
  target: number
  isMet: boolean
}

/** @param consistentUntil until when the hub has all, by the clock's uptime, in milliseconds; `now` where it has all */
export function recoveryPoint(target: number, consistentUntil: number | undefined, now: number): RecoveryPoint {
  const behind = consistentUntil === undefined ? undefined : (now - consistentUntil) / 1000
  return { behind, target, isMet: behind !== undefined && behind <= target }
}
