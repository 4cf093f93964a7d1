import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
import { type DeviceNumber, parseBackendLink } from '../backend-link.js'
import { frontendPath, libxlDevices } from '../device-paths.js'
import { unsupportedVdev } from '../devid-of.js'
import { noSuchDevice } from '../disk-from-values.js'
import { parseVdev } from '../vdev.js'
import type { DiskDevice } from './disk-device.js'
import { disksOf } from './read-device.js'

/** A device in the store, with its name there. */
export interface FoundDevice extends DiskDevice {
  vdev: string
}

export interface FindDeviceOptions extends RequestOptions {
  /** Of a link that names another device take the backend's domain and kind, and look there for this one, as libxl does. */
  libxlExact?: boolean | undefined
}

/**
 * The device behind a name, from libxl's own tree. Unlike a record of the disk this needs no more than the link to the
 * backend: a device of which the rest was never written can be removed, too.
 *
 * @throws LibxlError ERROR_INVAL for a name that stands for no device, ERROR_FAIL where there is no such device,
 * or its link cannot be read or names another device
 */
export async function findDevice(
  nodes: XenstoreNodes,
  domid: number,
  vdev: string,
  options: FindDeviceOptions = {},
): Promise<FoundDevice> {
  const devid = parseVdev(vdev)?.devid ?? -1
  if (devid < 0) throw unsupportedVdev(vdev)
  const kind = await disksOf(nodes, domid, options)
  const device = await deviceAt(nodes, { domid, kind, devid }, options)
  if (device === undefined) {
    throw noSuchDevice({ domid, kind, devid })
  }
  return { ...device, vdev: device.vdev || vdev }
}

/**
 * The device of a number; undefined where there is none. Its name may be missing, and is then empty.
 *
 * @throws LibxlError ERROR_FAIL where its link cannot be read or names another device
 */
export async function deviceAt(
  nodes: XenstoreNodes,
  { domid, kind, devid }: DeviceNumber,
  { libxlExact = false, ...request }: FindDeviceOptions = {},
): Promise<FoundDevice | undefined> {
  const libxl = `${libxlDevices(domid, kind)}/${devid}`
  const [link, vdev = ''] = await Promise.all([
    nodes.readIfPresent(`${libxl}/backend`, request),
    nodes.readIfPresent(`${libxl}/dev`, request),
  ])
  if (link === undefined) return undefined
  const { backendDomid, backendKind, path: backend } = parseBackendLink(link, { domid, kind, devid }, libxlExact)
  const frontend = frontendPath(domid, kind, devid)
  return { domid, devid, backendDomid, kind, backendKind, paths: { frontend, backend, libxl }, vdev }
}
