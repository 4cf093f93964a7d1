import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
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
export async function disksOf(
  nodes: XenstoreNodes,
  domid: number,
  request: RequestOptions = {},
): Promise<FrontendKind> {
  const present = await Promise.all(frontendKinds.map(kind => nodes.readIfPresent(libxlDevices(domid, kind), request)))
  const [kind = 'vbd', another] = frontendKinds.filter((_, index) => present[index] !== undefined)
  if (another !== undefined) {
    throw new LibxlError('device-kinds-mixed', 'Invalid configuration, both xen and virtio paths are present')
  }
  return kind
}

/**
 * The record of one disk, all of its nodes asked for at once. What the guest may write is not asked for in the transaction
 * `nodes` but outside, in `store`: its writing could keep the transaction from ever ending.
 */
export async function readDevice(
  store: XenstoreNodes,
  nodes: XenstoreNodes,
  { domid, kind, devid }: { domid: number; kind: FrontendKind; devid: number },
  libxlExact: boolean,
): Promise<DeviceDisk> {
  const directory = `${libxlDevices(domid, kind)}/${devid}`
  const paths = keys.map(key => `${directory}/${key}`)
  const reads = paths.map(path => nodes.readIfPresent(path))
  if (!libxlExact) {
    const trusted = `${frontendPath(domid, kind, devid)}/trusted`
    paths.push(trusted)
    reads.push(store.readIfPresent(trusted))
  }
  const values = await Promise.all(reads)
  const found = paths.flatMap((path, index) => {
    const value = values[index]
    return value === undefined ? [] : [{ path, value }]
  })
  return diskFromNodes([{ path: directory, value: '' }, ...found], { domid, libxlExact })
}
