import type { XenstoreNodes } from '../../xenstore/xenstore.js'
import type { DeviceDisk } from '../device-disk.js'
import { type FrontendKind, frontendKinds, frontendPath, libxlDevices } from '../device-paths.js'
import { diskFromNodes } from '../disk-from-nodes.js'
import { LibxlError } from '../libxl-error.js'

/** The nodes of a disk that libxl reads, and those that it forgets. */
const keys = [
  ...['backend', 'params', 'colo-host', 'colo-port', 'colo-export', 'active-disk', 'hidden-disk', 'type'],
  ...['specification', 'transport', 'base', 'irq', 'grant_usage', 'dev', 'removable', 'mode', 'device-type'],
  ...['script', 'discard-enable', 'direct-io-safe'],
]

/** Which disks a domain has: Xen's or virtio's, never both (`libxl__device_disk_get_path`). */
export async function disksOf(nodes: XenstoreNodes, domid: number): Promise<FrontendKind> {
  const present = await Promise.all(frontendKinds.map(kind => nodes.readIfPresent(libxlDevices(domid, kind))))
  const [kind = 'vbd', another] = frontendKinds.filter((_, index) => present[index] !== undefined)
  if (another !== undefined) {
    throw new LibxlError(-6, 'Invalid configuration, both xen and virtio paths are present')
  }
  return kind
}

/** The record of one disk, all of its nodes asked for at once. */
export async function readDevice(
  nodes: XenstoreNodes,
  { domid, kind, devid }: { domid: number; kind: FrontendKind; devid: number },
  libxlExact: boolean,
): Promise<DeviceDisk> {
  const directory = `${libxlDevices(domid, kind)}/${devid}`
  const paths = keys.map(key => `${directory}/${key}`)
  if (!libxlExact) paths.push(`${frontendPath(domid, kind, devid)}/trusted`)
  const values = await Promise.all(paths.map(path => nodes.readIfPresent(path)))
  const found = paths.flatMap((path, index) => {
    const value = values[index]
    return value === undefined ? [] : [{ path, value }]
  })
  return diskFromNodes([{ path: directory, value: '' }, ...found], { domid, libxlExact })
}
