import { type FrontendKind, frontendKinds, libxlDevices } from './device-paths.js'
import { unsupportedVdev } from './devid-of.js'
import { LibxlError } from './libxl-error.js'
import { parseVdev } from './vdev.js'

/** A disk in libxl's own tree. */
export interface DeviceLocation {
  path: string
  kind: FrontendKind
  devid: number
}

/**
 * The disk asked for among some paths, or the only one there (`libxl_vdev_to_device_disk`). As in libxl, a domain has
 * either Xen's disks or virtio's.
 */
export function locateDevice(
  paths: Iterable<string>,
  { domid, vdev }: { domid: number; vdev?: string | undefined },
): DeviceLocation {
  const wanted = vdev === undefined ? undefined : (parseVdev(vdev)?.devid ?? -1)
  if (wanted !== undefined && wanted < 0) throw unsupportedVdev(vdev)
  const { vbd, virtio_disk } = devidsByKind(paths, domid)
  if (vbd.size > 0 && virtio_disk.size > 0) {
    throw new LibxlError('device-kinds-mixed', 'Invalid configuration, both xen and virtio paths are present')
  }
  const kind: FrontendKind = virtio_disk.size > 0 ? 'virtio_disk' : 'vbd'
  const found = virtio_disk.size > 0 ? virtio_disk : vbd
  const devid = wanted ?? found.values().next().value
  if (devid === undefined) {
    throw new LibxlError('device-missing', `disk ${libxlDevices(domid, kind)} does not exist (no backend path`)
  }
  if (wanted === undefined && found.size > 1) {
    throw new LibxlError(
      'device-ambiguous',
      `domain ${domid} has the disks ${[...found].join(', ')}: name one of them by its vdev`,
    )
  }
  return { path: `${libxlDevices(domid, kind)}/${devid}`, kind, devid }
}

function devidsByKind(paths: Iterable<string>, domid: number): Record<FrontendKind, Set<number>> {
  const found = { vbd: new Set<number>(), virtio_disk: new Set<number>() }
  const roots = frontendKinds.map(kind => [kind, `${libxlDevices(domid, kind)}/`] as const)
  for (const path of paths) {
    for (const [kind, root] of roots) {
      if (!path.startsWith(root)) continue
      const devid = /^-?[0-9]{1,10}(?=\/|$)/.exec(path.slice(root.length, root.length + 12))
      if (devid !== null) found[kind].add(Number(devid[0]))
    }
  }
  return found
}
