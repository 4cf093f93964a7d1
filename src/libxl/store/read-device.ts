import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
import type { DeviceNumber } from '../backend-link.js'
import type { DeviceDisk } from '../device-disk.js'
import { type FrontendKind, frontendKinds, frontendPath, libxlDevices } from '../device-paths.js'
import { diskFromValues } from '../disk-from-values.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../system-error.js'

/** The nodes of a disk that libxl reads. */
const keys: ReadonlySet<string> = new Set([
  ...['backend', 'params', 'colo-host', 'colo-port', 'colo-export', 'active-disk', 'hidden-disk', 'type'],
  ...['specification', 'transport', 'base', 'irq', 'grant_usage', 'dev', 'removable', 'mode', 'device-type'],
])
/** Those that it writes and forgets. */
const forgotten: ReadonlySet<string> = new Set(['script', 'discard-enable', 'direct-io-safe'])

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

export interface ReadDeviceOptions {
  libxlExact: boolean
  /** For what is read outside of the transaction. */
  request: RequestOptions
}

/**
 * The record of one disk: its directory says which of its nodes there are, and those are asked for at once. What the guest
 * may write is not asked for in the transaction `nodes` but outside, in `store`: its writing could keep the transaction from
 * ever ending.
 *
 * @throws LibxlError where the device or one of its nodes is missing or unreadable
 */
export async function readDevice(
  store: XenstoreNodes,
  nodes: XenstoreNodes,
  device: DeviceNumber,
  { libxlExact, request }: ReadDeviceOptions,
): Promise<DeviceDisk> {
  const { domid, kind, devid } = device
  const directory = `${libxlDevices(domid, kind)}/${devid}`
  const names = await namesIn(nodes, directory)
  const values = new Map<string, string | undefined>()
  let guestTrusted: string | undefined
  // without a link there is no device to read
  if (names?.includes('backend')) {
    const wanted = names.filter(name => keys.has(name) || (!libxlExact && forgotten.has(name)))
    const found = await Promise.all([
      libxlExact ? undefined : store.readIfPresent(`${frontendPath(domid, kind, devid)}/trusted`, request),
      ...wanted.map(name => nodes.readIfPresent(`${directory}/${name}`)),
    ])
    guestTrusted = found[0]
    for (const [index, name] of wanted.entries()) values.set(name, found[index + 1])
  }
  return diskFromValues(key => values.get(key), device, { guestTrusted, libxlExact })
}

/** The names of a node's children; undefined where there is no such node. */
export async function namesIn(
  nodes: XenstoreNodes,
  path: string,
  request?: RequestOptions,
): Promise<string[] | undefined> {
  try {
    return await nodes.directory(path, request)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
