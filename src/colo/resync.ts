import type { Limits } from '../link/limits.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { blockdevMirror, blockJobCancel } from '../qmp/commands/blockdev-mirror.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { cont, stop } from '../qmp/commands/stop-cont.js'
import { runJob } from '../qmp/job.js'
import type { Qmp } from '../qmp/qmp.js'
import { viewBlocks } from './block-view.js'
import { ColoError } from './colo-error.js'
import { attachReplicas, type PrimaryOptions } from './primary.js'
import { primaryState } from './primary-state.js'
import { startReplication } from './secondary.js'

export interface ResyncOptions extends PrimaryOptions {
  primary: Qmp
  /** It listens already, and replicates nothing. */
  secondary: Qmp
  /** Bytes a second for each disk. */
  speed?: number | undefined
  /** Hears how far a disk is, in bytes, each half second. */
  onProgress?: ((disk: string, current: number, total: number) => void) | undefined
}

/**
 * Makes a secondary's disks equal to the primary's, and protects them: all is copied while the guest runs; it stands still only for the
 * switch from the copy to replication. Where it fails, the copies are ended, and the secondary's disks are not to be used.
 *
 * @throws ColoError, QmpError as `attachReplicas` and `startReplication`; job-failed, job-cancelled
 */
export async function resync({ primary, secondary, speed, onProgress, ...options }: ResyncOptions): Promise<void> {
  const { disks, epoch, signal, timeout } = options
  const limits = { signal, timeout }
  const view = await viewBlocks(primary, limits)
  const copies = disks.map((disk, index) => {
    const state = primaryState(view, disk)
    if (state.kind === 'alone') return { disk, quorum: state.quorum, id: `colo-${epoch}-${index}-copy` }
    throw new ColoError('wrong-state', `${disk} is ${state.kind}, and should be alone`, { disk })
  })
  let isRunning = false
  try {
    await Promise.all(copies.map(copy => startCopy(primary, copy, { ...options, speed, onProgress })))
    isRunning = (await primary.run(queryStatus, undefined, limits)).running
    if (isRunning) await primary.run(stop, undefined, limits)
    for (const copy of copies) await endCopy(primary, copy.id, limits)
    await startReplication(secondary, { disks, ...limits })
    await attachReplicas(primary, options)
  } catch (error) {
    for (const { id } of copies) await dropCopy(primary, id)
    throw error
  } finally {
    if (isRunning) await primary.run(cont)
  }
}

interface Copy {
  disk: string
  /** The quorum that is copied. */
  quorum: string
  /** The job, and the node of its target. */
  id: string
}

async function startCopy(
  primary: Qmp,
  { disk, quorum, id }: Copy,
  { host, port, tlsCreds, speed, onProgress, signal, timeout }: Omit<ResyncOptions, 'primary' | 'secondary'>,
): Promise<void> {
  const server = { type: 'inet', host, port: String(port) }
  const creds = tlsCreds === undefined ? {} : { 'tls-creds': tlsCreds }
  await primary.run(
    blockdevAdd,
    { driver: 'nbd', 'node-name': id, server, export: disk, ...creds },
    { signal, timeout },
  )
  const start = () =>
    primary.run(blockdevMirror, {
      'job-id': id,
      device: quorum,
      target: id,
      sync: 'full',
      // what the guest writes meanwhile is there too when the copy is through
      'copy-mode': 'write-blocking',
      ...(speed !== undefined && { speed }),
    })
  const report =
    onProgress && (({ current, total }: { current: number; total: number }) => onProgress(disk, current, total))
  await runJob(primary, { id, start, until: 'ready', onProgress: report, signal, timeout })
}

/** The guest stands still: all of the disk is in the target then. */
async function endCopy(primary: Qmp, id: string, limits: Limits): Promise<void> {
  await runJob(primary, { id, start: () => primary.run(blockJobCancel, { device: id }, limits), ...limits })
  await primary.run(blockdevDel, { 'node-name': id }, limits)
}

async function dropCopy(primary: Qmp, id: string): Promise<void> {
  const limits = { timeout: 5000 }
  await runJob(primary, {
    id,
    start: () => primary.run(blockJobCancel, { device: id, force: true }, limits),
    ...limits,
  }).catch(() => {})
  await primary.run(blockdevDel, { 'node-name': id }, limits).catch(() => {})
}
