import { type BackendKind, backendKinds, type FrontendKind, frontendPath, libxlDevices } from './device-paths.js'
import { LibxlError } from './libxl-error.js'

/** A device as libxl's own tree numbers it. */
export interface DeviceNumber {
  domid: number
  kind: FrontendKind
  devid: number
}

/** Where the link of a device leads. */
export interface BackendLink {
  backendDomid: number
  backendKind: BackendKind
  /** The device's directory in its backend's domain. */
  path: string
}

const kinds: ReadonlySet<string> = new Set(Object.values(backendKinds))

/**
 * Reads the node `backend` of a device: /local/domain/BACKEND/backend/KIND/DOMID/DEVID (`libxl__parse_backend_path`). A link
 * that names another device is refused. As libxl does, `libxlExact` takes the backend's domain and kind from such a link,
 * and looks there for this device.
 *
 * @throws LibxlError ERROR_FAIL where the link cannot be read, or names another device
 */
export function parseBackendLink(link: string, device: DeviceNumber, libxlExact: boolean): BackendLink {
  const [, digits, kind = ''] =
    /^\/local\/domain\/([0-9]{1,10})\/backend\/([a-z0-9_]{1,15})\/[0-9]+\/-?[0-9]+$/.exec(link) ?? []
  const backendDomid = Number(digits)
  if (!(kinds.has(kind) && backendDomid <= 0xffff_ffff)) throw unreadableLink(link)
  const path = `/local/domain/${backendDomid}/backend/${kind}/${device.domid}/${device.devid}`
  const isOwn = link === path && (kind === 'virtio_disk') === (device.kind === 'virtio_disk')
  if (!isOwn && !libxlExact) throw linkOfAnother(link, device)
  return { backendDomid, backendKind: kind as BackendKind, path }
}

export const unreadableLink = (link: string): LibxlError =>
  new LibxlError('link-invalid', `Unable to fetch device backend domid from ${link}`)

function linkOfAnother(link: string, { domid, kind, devid }: DeviceNumber): LibxlError {
  const entry = `${libxlDevices(domid, kind)}/${devid}`
  return new LibxlError(
    'link-foreign',
    `${entry}/backend names another device, ${link}: nothing is read or removed there; once no backend serves ` +
      `device ${devid} of domain ${domid}, remove ${entry} and ${frontendPath(domid, kind, devid)} from the store`,
  )
}
