import type { Limits } from '../../link/limits.js'
import type { ViewedNode } from '../../qmp/block-view.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { blockJobCancel } from '../../qmp/commands/blockdev-mirror.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import { type JobProgress, runJob } from '../../qmp/job.js'
import type { Qmp } from '../../qmp/qmp.js'
import { safeTarget } from '../../qmp/safe-target.js'
import { unlessRefused } from '../../qmp/unless-refused.js'

/** A disk that is being copied to its secondary. */
export interface DiskCopy {
  disk: string
  quorum: string
  image: ViewedNode
  /** The node that it is copied to, and the job that does it. */
  target: string
  /** The NBD client below the target, where that is another node. */
  link: string
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

/** Opens the target of a mirror, which lets the guest's writes through whatever becomes of it. */
export async function openTarget(
  primary: Qmp,
  { target }: DiskCopy,
  address: SecondaryAddress,
  name: string,
  limits: Limits,
): Promise<void> {
  await primary.run(blockdevAdd, { ...nbdOptions(address, name), 'node-name': target }, limits)
}

/** Opens the target of a backup. What the link fails in, the quorum reports. */
export async function openSafeTarget(
  primary: Qmp,
  { target, link, image }: DiskCopy,
  address: SecondaryAddress,
  name: string,
  limits: Limits,
): Promise<void> {
  const client = { ...nbdOptions(address, name), 'node-name': link }
  await primary.run(blockdevAdd, safeTarget(target, image.virtualSize, client), limits)
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
