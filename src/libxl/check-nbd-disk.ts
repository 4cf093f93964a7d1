import type { DeviceDisk } from './device-disk.js'
import { LibxlError } from './libxl-error.js'
import { parseNbdTarget } from './nbd-target.js'
import type { DomainType } from './resolved-disk.js'

/** Whether a disk's target is an export of an NBD server; what a script reads is the script's. */
export const isOverNbd = ({ script, format, pdevPath }: DeviceDisk): boolean =>
  script === undefined && format !== 'empty' && parseNbdTarget(pdevPath) !== undefined

/**
 * libxl takes the URL for a file's name. QEMU opens it for a disk that it emulates, and for no other: its Xen disk
 * (`xen-block`) asks `stat` first.
 *
 * @throws LibxlError for a disk over NBD that nothing can serve
 */
export function checkNbdDisk(disk: DeviceDisk, domainType: DomainType): void {
  const why = whyUnserved(disk, domainType)
  if (why === undefined) return
  const [field, text] = why
  throw new LibxlError('backend-unsuitable', `Disk vdev=${disk.vdev} is served over NBD: ${text}`, { field })
}

function whyUnserved(disk: DeviceDisk, domainType: DomainType): [field: keyof DeviceDisk, why: string] | undefined {
  const { backend, backendDomid, format, specification, coloEnable } = disk
  if (specification === 'virtio')
    return ['specification', 'virtio disks are files and devices; leave specification out']
  if (backend !== 'unknown' && backend !== 'qdisk')
    return ['backend', `QEMU opens it, and not ${backend}: write backendtype=qdisk, or leave it out`]
  if (format !== 'raw') return ['format', `what comes out is raw, and not ${format}: write format=raw`]
  if (coloEnable) return ['coloEnable', 'COLO replicates images: give it a file, or take colo away']
  if (backendDomid !== 0)
    return ['backendDomid', 'only a QEMU on this host can open it, and not one in another domain: leave backend out']
  if (domainType !== 'hvm')
    return [
      'pdevPath',
      `QEMU opens files only for a guest of type ${domainType}: make it a device with nbd-client, and give that to phy`,
    ]
  return undefined
}
