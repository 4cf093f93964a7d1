import type { ResolvedDisk } from './resolved-disk.js'

/** The three xenstore directories of a device: the guest's, the backend domain's, and libxl's own copy. */
export interface DevicePaths {
  frontend: string
  backend: string
  libxl: string
}

/** What a device is called in its backend domain's tree. */
export const backendKinds = { phy: 'vbd', tap: 'vbd3', qdisk: 'qdisk', standalone: 'virtio_disk' } as const
export type BackendKind = (typeof backendKinds)[keyof typeof backendKinds]

/** What a device is called in the guest's tree and in libxl's own. */
export const frontendKinds = ['vbd', 'virtio_disk'] as const
export type FrontendKind = (typeof frontendKinds)[number]

/** Where the nodes of a disk are (`libxl__device_frontend_path`, `_backend_path`, `_libxl_path`). */
export function devicePaths({ backend, backendDomid }: ResolvedDisk, domid: number, devid: number): DevicePaths {
  const kind: FrontendKind = backend === 'standalone' ? 'virtio_disk' : 'vbd'
  return {
    frontend: frontendPath(domid, kind, devid),
    backend: `/local/domain/${backendDomid}/backend/${backendKinds[backend]}/${domid}/${devid}`,
    libxl: `${libxlDevices(domid, kind)}/${devid}`,
  }
}

export const frontendPath = (domid: number, kind: FrontendKind, devid: number): string =>
  `/local/domain/${domid}/device/${kind}/${devid}`

/** The directory of libxl's own copies: written by the toolstack alone. */
export const libxlDevices = (domid: number, kind: FrontendKind): string => `/libxl/${domid}/device/${kind}`
