import { setImmediate as turn } from 'node:timers/promises'
import type { Limits } from '../../link/limits.js'
import { blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import { queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import { yank } from '../../qmp/commands/yank.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { type ReplicaHealth, reportWhy } from '../../qmp/replica-health.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { copyNode, exportName, isCopyNode, isLinkNode, isReplicaNode, linkNode } from '../graph/node-names.js'
import { type HeartbeatLimits, untilSilent } from '../heartbeat.js'
import type { Side } from '../side.js'
import { copyMarked, copyWhileRunning, type Extent, markChanges } from './copy-changes.js'
import { endFullCopy, startFullCopy } from './copy-full.js'
import {
  type CopyProgress,
  closeTarget,
  type DiskCopy,
  dropCopy,
  openSafeTarget,
  openTarget,
  type SecondaryAddress,
} from './disk-copy.js'
import type { SyncPlan } from './sync-plan.js'

export interface SyncOptions {
  primary: Side
  secondary: Side
  address: SecondaryAddress
  epoch: number
  copies: readonly PlannedCopy[]
  /** Bytes a second for each disk. */
  speed?: number | undefined
  onProgress?: CopyProgress | undefined
  /** What the primary's quorums report, from before this began. */
  health: ReplicaHealth
  heartbeat: HeartbeatLimits
  signal?: AbortSignal | undefined
  /** For a single command, in milliseconds. */
  timeout: number
}

export interface PlannedCopy {
  disk: string
  quorum: string
  image: DiskCopy['image']
  plan: SyncPlan
  /** What the secondary wrote, where the plan asks for it. */
  extents: readonly Extent[]
}

/** Disks that are nearly equal, whose guest runs on. */
export interface SyncedDisks {
  /** Copies what is left; the guest stands still, until replication begins. */
  finish(limits: Limits): Promise<void>
  /** Ends the copies, also in the middle. */
  drop(): Promise<void>
}

/**
 * Copies disks to their secondaries while the guest runs. A secondary that falls silent is cut off, as the guest's writes wait
 * for it meanwhile.
 *
 * @throws QmpError job-failed where the link or a disk fails; the copies are dropped then
 */
export async function syncDisks(options: SyncOptions): Promise<SyncedDisks> {
  const { primary, epoch, address, copies, signal, timeout } = options
  const { qmp } = primary
  const jobs = copies.map(copy => ({
    ...copy,
    target: copyNode(epoch, copy.disk),
    link: linkNode(epoch, copy.disk),
  }))
  const drop = async () => {
    await cutTargets(primary.urgent ?? qmp, jobs, timeout)
    for (const { target } of jobs) await dropCopy(qmp, target).catch(() => {})
  }
  try {
    await guarded(options, jobs, signal, async (signal, moved) => {
      const limits = { signal, timeout }
      const onProgress = onlyMoves(moved, options.onProgress)
      for (const job of jobs) {
        const open = job.plan.kind === 'full' ? openTarget : openSafeTarget
        await open(qmp, job, address, exportName(epoch, job.disk), limits)
        if (job.plan.kind === 'full') continue
        // of disks that are equal, what the guest writes from now on
        const since = job.plan.kind === 'changes' ? job.plan.bitmap : undefined
        await markChanges(qmp, job, { since, epoch, also: job.extents }, limits)
      }
      await Promise.all(jobs.map(job => startCopy(qmp, job, { ...options, signal, onProgress })))
    })
  } catch (error) {
    await drop()
    throw error
  }
  return {
    drop,
    finish: ({ signal, timeout }) =>
      guarded(options, jobs, signal, async signal => {
        const limits = { signal, timeout }
        for (const job of jobs) {
          if (job.plan.kind === 'full') await endFullCopy(qmp, job, limits)
          else await copyMarked(qmp, job, epoch, limits)
          await closeTarget(qmp, job, limits)
        }
      }),
  }
}

/** Ends the copies that a process which is gone has left, and closes what it has opened and not attached. */
export async function dropLeftovers({ qmp, urgent = qmp }: Side, limits: Limits): Promise<void> {
  const jobs = (await qmp.run(queryJobs, undefined, limits)).map(({ id }) => id)
  const nodes = (await qmp.run(queryNamedBlockNodes, { flat: true }, limits)).map(({ nodeName }) => nodeName)
  const targets = [...new Set([...jobs, ...nodes].filter(isCopyNode))]
  // the secondary may be silent since
  await cutNodes(urgent, [...targets, ...nodes.filter(isLinkNode)], limits)
  for (const target of targets) await dropCopy(qmp, target)
  // one that is in use stays
  for (const node of nodes.filter(isReplicaNode))
    await qmp.run(blockdevDel, { 'node-name': node }, limits).catch(unlessRefused)
}

type Job = PlannedCopy & DiskCopy

function startCopy(qmp: Qmp, job: Job, { epoch, speed, onProgress, signal }: SyncOptions): Promise<void> {
  const options = { speed, onProgress, signal }
  return job.plan.kind === 'full' ? startFullCopy(qmp, job, options) : copyWhileRunning(qmp, job, epoch, options)
}

/**
 * Does work that a silent secondary, or a link that carries nothing, would hold up for good: the connections are cut then, and the work
 * ends and fails with the reason. It fails too where the link missed anything: of that the jobs know nothing.
 */
async function guarded(
  { primary, secondary, health, heartbeat, timeout }: SyncOptions,
  jobs: readonly Job[],
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, moved: () => void) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const ending = new AbortController()
  let lost: Error | undefined
  const cut = async (why: Error | undefined): Promise<void> => {
    if (why === undefined || over.signal.aborted) return
    lost ??= why
    await cutTargets(primary.urgent ?? primary.qmp, jobs, timeout).catch(() => {})
    ending.abort(why)
  }
  let last = performance.now()
  const looking = setInterval(() => {
    const isStalled = performance.now() - last > heartbeat.stall
    const stalled = isStalled ? new QmpError('ETIMEDOUT', `nothing was copied for ${heartbeat.stall} ms`) : undefined
    void cut(missedOf(health, jobs) ?? stalled)
  }, heartbeat.every)
  const watching = untilSilent(secondary.urgent ?? secondary.qmp, heartbeat, over.signal).then(cut)
  try {
    await work(AbortSignal.any([ending.signal, ...(outer === undefined ? [] : [outer])]), () => {
      last = performance.now()
    })
    // what was reported before the last answer is read after it
    await turn()
    lost ??= missedOf(health, jobs)
  } catch (error) {
    lost ??= missedOf(health, jobs)
    if (lost === undefined) throw error
  } finally {
    over.abort()
    clearInterval(looking)
    await watching
  }
  if (lost !== undefined)
    throw new QmpError('job-failed', `the secondary was cut off, and the copy with it: ${lost.message}`, {
      cause: lost,
    })
}

/** What a copy of changes missed, or that this is not known. */
function missedOf(health: ReplicaHealth, jobs: readonly Job[]): Error | undefined {
  for (const { link } of jobs) {
    const bad = health.bad(link)
    if (bad !== undefined) return new QmpError('job-failed', `a ${reportWhy(bad)}`)
  }
  return health.lost
}

/** Reports only what is further than before. */
function onlyMoves(moved: () => void, onProgress: CopyProgress | undefined): CopyProgress {
  const seen = new Map<string, number>()
  return (disk, current, total) => {
    if (seen.get(disk) !== current) moved()
    seen.set(disk, current)
    onProgress?.(disk, current, total)
  }
}

const cutTargets = (qmp: Qmp, jobs: readonly Job[], timeout: number): Promise<void> =>
  cutNodes(
    qmp,
    jobs.flatMap(({ target, link }) => [target, link]),
    { timeout },
  )

async function cutNodes(qmp: Qmp, nodes: readonly string[], limits: Limits): Promise<void> {
  if (!qmp.outOfBand) return
  const cut = (node: string) =>
    qmp.runOutOfBand(yank, { instances: [{ type: 'block-node', 'node-name': node }] }, limits).catch(() => {})
  await Promise.all(nodes.map(cut))
}
