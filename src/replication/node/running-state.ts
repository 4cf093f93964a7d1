import type { Failure, VolumeState } from '../agent/volume-state.js'
import type { SyncProgress } from './sync-progress.js'

/** What is known of a group whose QEMU has the images. Uptimes in milliseconds, `now` in microseconds since 1970. */
export interface RunningFacts {
  isStopped: boolean
  isPaused: boolean
  failure: Failure | undefined
  isAttached: boolean
  /** Why it is not attached, where it is not. */
  standstill: string
  now: number
  uptime: number
  heard: number | undefined
  /** For how long a hub may be silent. */
  heartbeat: number
  progress: SyncProgress
  /** The uptime until which the hub has all. */
  until: number | undefined
  /** How old that may be, in milliseconds. */
  oldest: number
}

/** The state of one of its volumes. */
export function runningState(
  facts: RunningFacts,
  volume: {
    name: string
    problem: string | undefined
    /** A volume of the group that has one: nothing is sent of any of them. */
    inTheWay: string | undefined
    unacknowledged: number | undefined
  },
): VolumeState {
  const { progress, uptime, heard, until, heartbeat } = facts
  const { since } = progress
  const failure = facts.failure ?? (volume.problem === undefined ? undefined : { why: volume.problem })
  const degraded = (why: string, from = since): VolumeState => ({
    state: 'degraded',
    since: from,
    bytes: undefined,
    why,
  })
  if (facts.isStopped) return { state: 'unprotected' }
  if (facts.isPaused) return { state: 'paused', since, bytes: undefined }
  if (failure !== undefined) return { state: 'failed', ...failure }
  if (volume.inTheWay !== undefined)
    return degraded(`nothing is sent of the group: something is amiss with ${volume.inTheWay}`)
  if (!facts.isAttached) return degraded(facts.standstill)
  if (heard === undefined || uptime - heard > heartbeat)
    return degraded('the hub is silent', heard === undefined ? since : facts.now - (uptime - heard) * 1000)
  if (!progress.isSettled) {
    if (progress.failure !== undefined) return degraded(progress.failure)
    return { state: progress.isFirst ? 'syncing' : 'resyncing', ...progress.of(volume.name) }
  }
  const seconds = until === undefined ? 0 : (uptime - until) / 1000
  if (seconds * 1000 > facts.oldest)
    return degraded(`the hub has had no moment of the group for ${Math.round(seconds)} s`, facts.now - seconds * 1e6)
  return { state: 'protected', lag: { bytes: volume.unacknowledged, seconds } }
}
