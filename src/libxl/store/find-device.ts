import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
import { type BackendKind, backendKinds, type FrontendKind, frontendPath, libxlDevices } from '../device-paths.js'
import { unsupportedVdev } from '../devid-of.js'
import { LibxlError } from '../libxl-error.js'
import { parseVdev } from '../vdev.js'
import type { DiskDevice } from './disk-device.js'
import { disksOf } from './read-device.js'

/** A device in the store, with its name there. */
export interface FoundDevice extends DiskDevice {
  vdev: string
}

/**
 * The device behind a name, from libxl's own tree. Unlike a record of the disk this needs no more than the link to the
 * backend: a device of which the rest was never written can be removed, too.
 *
 * @throws LibxlError ERROR_INVAL for a name that stands for no device, ERROR_FAIL where there is no such device
 */
export async function findDevice(
  nodes: XenstoreNodes,
  domid: number,
  vdev: string,
  request?: RequestOptions,
): Promise<FoundDevice> {
  const devid = parseVdev(vdev)?.devid ?? -1
  if (devid < 0) throw unsupportedVdev(vdev)
  const kind = await disksOf(nodes, domid, request)
  const device = await deviceAt(nodes, { domid, kind, devid }, request)
  if (device === undefined) {
    throw new LibxlError('device-missing', `disk ${libxlDevices(domid, kind)}/${devid} does not exist (no backend path`)
  }
  return { ...device, vdev: device.vdev || vdev }
}

/** The device of a number; undefined where there is none. Its name may be missing, and is then empty. */
export async function deviceAt(
  nodes: XenstoreNodes,
  { domid, kind, devid }: { domid: number; kind: FrontendKind; devid: number },
  request?: RequestOptions,
): Promise<FoundDevice | undefined> {
  const libxl = `${libxlDevices(domid, kind)}/${devid}`
  const [backend, vdev = ''] = await Promise.all([
    nodes.readIfPresent(`${libxl}/backend`, request),
    nodes.readIfPresent(`${libxl}/dev`, request),
  ])
  if (backend === undefined) return undefined
  const { backendDomid, backendKind } = parseBackendPath(backend)
  const frontend = frontendPath(domid, kind, devid)
  return { domid, devid, backendDomid, kind, backendKind, paths: { frontend, backend, libxl }, vdev }
}

const kinds: ReadonlySet<string> = new Set(Object.values(backendKinds))

/** /local/domain/BACKEND/backend/KIND/DOMID/DEVID (`libxl__parse_backend_path`). */
function parseBackendPath(path: string): Pick<DiskDevice, 'backendDomid' | 'backendKind'> {
  const [, domid, kind = ''] =
    /^\/local\/domain\/([0-9]{1,5})\/backend\/([a-z0-9_]{1,15})\/[0-9]+\/-?[0-9]+$/.exec(path) ?? []
  if (!kinds.has(kind)) throw new LibxlError('link-invalid', `Unable to fetch device backend domid from ${path}`)
  return { backendDomid: Number(domid), backendKind: kind as BackendKind }
}
