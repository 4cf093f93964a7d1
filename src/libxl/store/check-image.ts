import { LibxlError } from '../libxl-error.js'
import { nbdTargetOf } from '../nbd-target.js'
import type { ResolvedDisk } from '../resolved-disk.js'
import type { DiskHost } from './disk-host.js'

/**
 * Refuses an image that QEMU could not open: libxl leaves that to QEMU, which only logs it, while the guest waits for a
 * disk that never comes. Left alone is what is no file here: a protocol of QEMU's (`nbd:…`), a relative path, which
 * depends on where QEMU was started, and a driver domain's image.
 */
export async function checkImage(disk: ResolvedDisk, host: DiskHost): Promise<void> {
  refuseNbd(disk)
  const { backend, backendDomid, format, pdevPath, vdev } = disk
  if (backend !== 'qdisk' || backendDomid !== host.domid || format === 'empty' || !pdevPath?.startsWith('/')) return
  const { target, reason } = await host.examine(pdevPath)
  if (target !== 'missing' && target !== 'dir') return
  const why = target === 'dir' ? 'Is a directory' : (reason ?? 'No such file or directory')
  throw new LibxlError('image-unusable', `Disk vdev=${vdev}: QEMU cannot open the image ${pdevPath}: ${why}`)
}

/** A disk that is plugged into a running guest is served by QEMU's Xen disk, for HVM guests too. */
function refuseNbd(disk: ResolvedDisk): void {
  if (nbdTargetOf(disk) === undefined) return
  throw new LibxlError(
    'image-unusable',
    `Disk vdev=${disk.vdev} is served over NBD, which QEMU opens only for a disk that it emulates from the guest's start:` +
      ' make it a device with nbd-client, and give that to phy',
  )
}
