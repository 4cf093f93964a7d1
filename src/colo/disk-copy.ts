import type { Limits } from '../link/limits.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { blockJobCancel } from '../qmp/commands/blockdev-mirror.js'
import { queryJobs } from '../qmp/commands/query-jobs.js'
import { type JobProgress, runJob } from '../qmp/job.js'
import type { Qmp } from '../qmp/qmp.js'
import type { ViewedNode } from './block-view.js'
import { unlessRefused } from './unless-refused.js'

/** A disk that is being copied to its secondary. */
export interface DiskCopy {
  disk: string
  quorum: string
  image: ViewedNode
  /** The NBD node that it is copied to, and the job that does it. */
  target: string
}

/** Hears how far a disk is, in bytes: each half second, and at its end. */
export type CopyProgress = (disk: string, current: number, total: number) => void

export interface CopyOptions extends Limits {
  /** Bytes a second for each disk. */
  speed?: number | undefined
  onProgress?: CopyProgress | undefined
}

/** Where a secondary listens. */
export interface SecondaryAddress {
  host: string
  port: number
  /** The id of a `tls-creds-x509` or `tls-creds-psk` object of the primary's QEMU. */
  tlsCreds?: string | undefined
}

/** The options of an NBD node for an export there. */
export const nbdOptions = ({ host, port, tlsCreds }: SecondaryAddress, name: string) => ({
  driver: 'nbd',
  server: { type: 'inet', host, port: String(port) },
  export: name,
  ...(tlsCreds !== undefined && { 'tls-creds': tlsCreds }),
})

export async function openTarget(
  primary: Qmp,
  { target }: DiskCopy,
  address: SecondaryAddress,
  name: string,
  limits: Limits,
): Promise<void> {
  await primary.run(blockdevAdd, { ...nbdOptions(address, name), 'node-name': target }, limits)
}

export const closeTarget = (primary: Qmp, { target }: DiskCopy, limits: Limits): Promise<void> =>
  primary.run(blockdevDel, { 'node-name': target }, limits)

/** Ends a copy that failed, or that a process which is gone has left, and closes its target. */
export async function dropCopy(primary: Qmp, target: string): Promise<void> {
  const limits = { timeout: 5000 }
  const jobs = await primary.run(queryJobs, undefined, limits)
  if (jobs.some(({ id }) => id === target)) {
    const start = () => primary.run(blockJobCancel, { device: target, force: true }, limits)
    await runJob(primary, { id: target, start, ...limits }).catch(() => {})
  }
  await primary.run(blockdevDel, { 'node-name': target }, limits).catch(unlessRefused)
}

/** What `runJob` reports, for a disk. */
export const withoutStart = (disk: string, onProgress: CopyProgress | undefined) => ({
  onProgress: onProgress && (({ current, total }: JobProgress) => onProgress(disk, current, total)),
})
