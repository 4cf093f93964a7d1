import type { DeviceDisk, DiskBackend } from './device-disk.js'
import { LibxlError } from './libxl-error.js'
import type { ResolvedDisk } from './resolved-disk.js'

/** What a disk's target is: libxl only tells block devices and regular files from the rest. */
export type DiskTarget = 'block' | 'file' | 'char' | 'dir' | 'missing'

/** The name that libxl gives to the file behind an empty CD drive; the number of its domain follows. */
export const emptyCdrom = '/run/xen/empty-cdrom'

type Backend = ResolvedDisk['backend']

const toolstackDomid = 0
const preference: readonly Backend[] = ['phy', 'qdisk', 'tap', 'standalone']

/** Whether libxl looks at the target (stat) before it chooses: only where it is to be opened on this host. */
export const isTargetExamined = (disk: DeviceDisk): boolean =>
  disk.format !== 'empty' &&
  (disk.backend === 'unknown' || disk.backend === 'phy' || disk.backend === 'standalone') &&
  disk.backendDomid === toolstackDomid &&
  disk.script === undefined

/**
 * The backend that serves a disk (`libxl__device_disk_set_backend`): the one asked for if it can, else the first that can.
 *
 * @param reason why the target could not be examined, in the C library's words
 */
export function chooseBackend(disk: DeviceDisk, target: DiskTarget, reason: string): Backend {
  refuseOddEmptiness(disk)
  if (isTargetExamined(disk) && (target === 'missing' || disk.pdevPath === undefined)) {
    const why = disk.pdevPath === undefined ? 'Bad address' : reason
    throw new LibxlError(
      'target-missing',
      `Disk vdev=${disk.vdev} failed to stat: ${disk.pdevPath ?? '(null)'}: ${why}`,
    )
  }
  const candidates = disk.backend === 'unknown' ? preference : [disk.backend]
  const chosen = candidates.find(backend => isSuitable(backend, disk, target))
  if (chosen === undefined) throw new LibxlError('backend-unsuitable', `no suitable backend for disk ${disk.vdev}`)
  return chosen
}

function refuseOddEmptiness(disk: DeviceDisk): void {
  if (disk.format !== 'empty') return
  if (!disk.isCdrom) throw new LibxlError('disk-empty', `Disk vdev=${disk.vdev} is empty but not cdrom`)
  const { pdevPath } = disk
  if (pdevPath !== undefined && pdevPath !== '' && !pdevPath.startsWith(emptyCdrom)) {
    throw new LibxlError(
      'disk-empty-with-image',
      `Disk vdev=${disk.vdev} is empty but an image has been provided: ${pdevPath}`,
    )
  }
}

function isSuitable(backend: DiskBackend, disk: DeviceDisk, target: DiskTarget): boolean {
  if ((backend === 'standalone') !== (disk.specification === 'virtio')) return false
  switch (backend) {
    case 'phy':
      if (disk.coloEnable) return false
      if (disk.isCdrom && disk.format === 'empty') return true
      return disk.format === 'raw' && (disk.script !== undefined || isOpenable(disk, target))
    case 'qdisk':
      return disk.script === undefined
    case 'tap':
      return !disk.coloEnable && (disk.format === 'raw' || disk.format === 'vhd')
    case 'standalone':
      return !disk.coloEnable && disk.format === 'raw' && disk.script === undefined && isOpenable(disk, target)
    default:
      return false
  }
}

/** A driver domain's target is taken on trust. */
const isOpenable = (disk: DeviceDisk, target: DiskTarget): boolean =>
  disk.backendDomid !== toolstackDomid || target === 'block' || target === 'file'
