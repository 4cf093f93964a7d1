import { printable } from '../printable.js'
import { epochOf } from './graph/node-names.js'
import type { DiskSight, SideSight } from './look.js'

/** What is known of a protected disk. Every state has its reason; what was not seen is not claimed. */
export type DiskState =
  /** Its guest's writes go to one side only, and no other was promised. */
  | { kind: 'unprotected'; why: string }
  /** The secondary is being made equal. */
  | { kind: 'syncing'; why: string; current: number; total: number; secondsLeft: number | undefined }
  /** The secondary has the last checkpoint, and gets what is written since. */
  | { kind: 'protected'; why: string; checkpoint: LastCheckpoint | undefined }
  /** Something failed: a checkpoint is there, and there will be no other before it is protected again. */
  | { kind: 'degraded'; why: string }
  /** The secondary has a checkpoint, and the primary went on without it. */
  | { kind: 'outdated'; why: string }
  /** The secondary's disk alone holds neither a checkpoint nor what the primary has. */
  | { kind: 'inconsistent'; why: string }
  /** Its epoch is over: the other side took over. */
  | { kind: 'fenced'; why: string }
  /** The secondary is taking over. */
  | { kind: 'failing-over'; why: string }
  /** The secondary took over. */
  | { kind: 'failed-over'; why: string }
  /** Neither side shows it. */
  | { kind: 'unknown'; why: string }

/** The last checkpoint that this process has taken. */
export interface LastCheckpoint {
  number: number
  at: Date
}

/** One side, or why it cannot be seen. */
export type Seen = { sight: SideSight; error?: undefined } | { sight?: undefined; error: Error }

export interface KnownBesides {
  /** What a running process has seen fail, by the disk. */
  degraded?: string | undefined
  checkpoint?: LastCheckpoint | undefined
  copy?: { why: string; current: number; total: number; secondsLeft: number | undefined } | undefined
  /** QEMU's own word that its replication failed. */
  replicationFailed?: boolean | undefined
}

/** Says what is known of the disk at this place in both sides' lists. */
export function diskState(primary: Seen, secondary: Seen, index: number, known: KnownBesides = {}): DiskState {
  const here = primary.sight?.disks[index]
  const there = secondary.sight?.disks[index]
  if (here === undefined && there === undefined)
    return { kind: 'unknown', why: `neither side answers: ${primary.error?.message}; ${secondary.error?.message}` }
  if (there !== undefined) {
    const taken = takenOver(there, here, primary)
    if (taken !== undefined) return taken
  }
  if (known.copy !== undefined) return { kind: 'syncing', ...known.copy }
  if (there !== undefined) {
    const broken = brokenSecondary(there)
    if (broken !== undefined) return broken
  }
  if (here === undefined) return withoutPrimary(there!, primary.error!)
  if (there === undefined) return withoutSecondary(here, secondary.error!)
  return ofBoth(here, there, secondary.sight!, known)
}

function takenOver(there: DiskSight, here: DiskSight | undefined, primary: Seen): DiskState | undefined {
  const { secondary, record, role } = there
  if (secondary.kind === 'failing-over')
    return { kind: 'failing-over', why: 'what its guest wrote is being written into it' }
  // where both were primaries, the later one took over
  const isLater = (record?.epoch ?? 0) > (here?.record?.epoch ?? 0)
  const isOver = secondary.kind === 'failed-over' || (role === 'primary' && record?.state === 'alone' && isLater)
  if (!isOver) return undefined
  if (here === undefined || !primary.sight?.running || here.role !== 'primary')
    return { kind: 'failed-over', why: record?.why ?? 'the secondary took over' }
  const epochs = `${here.record?.epoch ?? 'none'} here, ${record?.epoch ?? 'none'} there`
  return {
    kind: 'fenced',
    why: `the secondary took over, and the primary's guest still runs (epochs: ${epochs}): stop it`,
  }
}

function brokenSecondary({ secondary, record, role, recordProblem }: DiskSight): DiskState | undefined {
  if (recordProblem !== undefined) return { kind: 'unknown', why: `the secondary: ${recordProblem}` }
  if (record?.state === 'syncing')
    return { kind: 'inconsistent', why: `a copy to the secondary was not finished (${record.why}): protect it again` }
  if (record?.state === 'failing-over' && secondary.kind !== 'failed-over')
    return { kind: 'inconsistent', why: 'a take-over was interrupted: fail over again, and it goes on' }
  if (secondary.kind === 'stopped')
    return { kind: 'inconsistent', why: 'replication was stopped without a take-over: the secondary holds open writes' }
  if (role === 'primary' && record !== undefined && record.state !== 'replicated')
    return { kind: 'inconsistent', why: `the secondary's disk is open without its overlays (${record.state})` }
  if (secondary.kind === 'ready' && (record?.state === 'replicating' || record?.state === 'outdated'))
    return {
      kind: 'inconsistent',
      why: "the secondary's QEMU was started anew: the disk and its overlays belong together; protect it again, or fail over",
    }
  return undefined
}

function withoutPrimary({ secondary, record }: DiskSight, error: Error): DiskState {
  if (record?.state === 'outdated') return { kind: 'outdated', why: record.why }
  if (secondary.kind === 'replicating' && record?.state === 'replicating')
    return {
      kind: 'degraded',
      why: `the primary does not answer (${error.message}): its last checkpoint is on the secondary`,
    }
  return { kind: 'unknown', why: `the primary does not answer (${error.message})` }
}

function withoutSecondary({ primary, record }: DiskSight, error: Error): DiskState {
  const promised = primary.kind === 'replicated' || record?.state === 'replicated'
  const why = `the secondary does not answer (${error.message})`
  return promised ? { kind: 'degraded', why } : { kind: 'unprotected', why }
}

function ofBoth(
  { primary, record: here, image }: DiskSight,
  { secondary, record: there, image: replica }: DiskSight,
  { listening }: SideSight,
  { degraded, checkpoint, replicationFailed = false }: KnownBesides,
): DiskState {
  if (primary.kind === 'foreign') return { kind: 'degraded', why: `the primary: ${primary.why}` }
  if (primary.kind === 'replicated') {
    const epoch = epochOf(primary.replica.nbdNode)
    const wrong = degraded ?? here?.failing
    if (wrong !== undefined) return { kind: 'degraded', why: wrong }
    if (replicationFailed) return { kind: 'degraded', why: "the primary's QEMU says that replication failed" }
    if (image?.virtualSize !== replica?.virtualSize)
      return {
        kind: 'degraded',
        why: `its sides differ in size: ${image?.virtualSize} bytes, ${replica?.virtualSize} on the secondary`,
      }
    if (secondary.kind !== 'replicating')
      return { kind: 'degraded', why: `the primary replicates, and the secondary is ${secondary.kind}` }
    if (epoch === undefined)
      return { kind: 'unknown', why: `its replica, ${printable(primary.replica.nodeName)}, is none of ours` }
    if (epoch !== listening)
      return { kind: 'fenced', why: `the primary is at epoch ${epoch}, and the secondary at ${listening ?? 'none'}` }
    if (there?.state === 'outdated') return { kind: 'outdated', why: there.why }
    const isRecorded = here?.state === 'replicated' && there?.state === 'replicating'
    if (!isRecorded || here.epoch !== epoch || there.epoch !== epoch)
      return { kind: 'unknown', why: 'its records do not say that it is protected: protect it again' }
    const besides =
      primary.job === undefined ? '' : `; somebody's block job is under way on the primary (${primary.job})`
    return { kind: 'protected', why: `epoch ${epoch}${besides}`, checkpoint }
  }
  if (secondary.kind === 'replicating')
    return {
      kind: 'outdated',
      why: there?.state === 'outdated' ? there.why : 'the primary went on without the secondary',
    }
  if (degraded !== undefined) return { kind: 'degraded', why: degraded }
  return { kind: 'unprotected', why: `the primary is ${primary.kind}, the secondary ${secondary.kind}` }
}
