import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DiskSight } from '../colo/look.js'
import { prepareOverlays } from '../colo/node/prepare-overlays.js'
import type { PairStatus } from '../colo/pair-status.js'
import type { OverlayFiles } from '../colo/rebuild/become-secondary.js'
import { printable } from '../printable.js'
import { Refusal } from './refusal.js'

/** Makes overlays for those of the secondary's disks that were a primary's until now. @throws Refusal, ColoError overlay */
export async function makeOverlays(
  { secondary }: PairStatus,
  { folder, epoch }: { folder: string | undefined; epoch: number },
): Promise<ReadonlyMap<string, OverlayFiles>> {
  const needed = (secondary.sight?.disks ?? []).filter(wasPrimary)
  if (needed.length === 0) return new Map()
  if (secondary.sight?.running)
    throw new Refusal('refused', "the secondary's guest runs: stop it first, as its disks are to follow")
  if (folder === undefined) {
    const names = needed.map(({ disk }) => printable(disk)).join(', ')
    throw new Refusal('refused', `${names} was a primary's, and needs overlays: name a folder with --overlays DIR`)
  }
  const overlays = new Map(needed.map(({ disk }) => [disk, filesOf(resolve(folder), disk, epoch)] as const))
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(error => {
    throw new Refusal('failed', `cannot make the folder ${folder}: ${error.message}`, { cause: error })
  })
  await prepareOverlays(needed.map(({ disk, image }) => ({ ...overlays.get(disk)!, size: image!.virtualSize })))
  return overlays
}

const wasPrimary = ({ role, secondary, image }: DiskSight): boolean =>
  image !== undefined && (role === 'primary' || secondary.kind === 'failed-over')

/** Of each protection its own: older ones may hold what somebody needs. */
function filesOf(folder: string, disk: string, epoch: number): OverlayFiles {
  // as QEMU has its ids: nothing that leads out of the folder
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(disk))
    throw new Refusal(
      'refused',
      `no file can be named after the disk ${printable(disk)}: start its QEMU as a secondary`,
    )
  return {
    active: join(folder, `${disk}-${epoch}-active.qcow2`),
    hidden: join(folder, `${disk}-${epoch}-hidden.qcow2`),
  }
}
