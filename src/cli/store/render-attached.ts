import { diskToNodes } from '../../libxl/disk-to-nodes.js'
import type { DomainType } from '../../libxl/resolved-disk.js'
import type { AttachedDisk } from '../../libxl/store/add-disks.js'
import { toLibxlJson } from '../../libxl/to-libxl-json.js'
import { printable } from '../../printable.js'
import { listNodes } from '../output/list-nodes.js'

/** What was done, a line for each disk. */
export const renderAttached = (attached: readonly AttachedDisk[], form: 'text' | 'json'): Iterable<string> =>
  attached.map(form === 'json' ? jsonLine : textLine)

/** What would be written: the nodes as `xenstore-ls -fp` prints them. */
export const renderTrial = (attached: readonly AttachedDisk[], domainType: DomainType): Iterable<string> =>
  listNodes(attached, ({ disk, device: { domid } }) => diskToNodes(disk, { domid, domainType }))

function textLine({ disk, device }: AttachedDisk): string {
  const { domid, devid, backendDomid, paths } = device
  const where = `domain ${domid} as device ${devid}`
  return `${printable(disk.vdev)}: attached to ${where}, served by ${disk.backend} in domain ${backendDomid} (${paths.backend})\n`
}

function jsonLine({ disk, device, attempts }: AttachedDisk): string {
  const { domid, devid, backendDomid, paths } = device
  const record: unknown = JSON.parse(toLibxlJson(disk))
  return `${JSON.stringify({ vdev: disk.vdev, domid, devid, backend: disk.backend, backendDomid, paths, attempts, disk: record })}\n`
}
