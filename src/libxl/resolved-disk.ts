import type { DeviceDisk, DiskBackend } from './device-disk.js'

/** How a guest is virtualised; libxl's defaults and nodes depend on it. */
export type DomainType = 'pv' | 'pvh' | 'hvm'

/**
 * A disk whose open choices libxl's defaults have closed: what nodes and arguments are made from.
 * Only `resolveDisk` should make one.
 */
export interface ResolvedDisk extends DeviceDisk {
  vdev: string
  backend: Exclude<DiskBackend, 'unknown'>
  discardEnable: boolean
  coloEnable: boolean
  coloRestoreEnable: boolean
  trusted: boolean
}
