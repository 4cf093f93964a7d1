import type { Xenstore } from '../../xenstore/xenstore.js'
import type { DiskDevice } from './disk-device.js'
import { pathCleanup } from './path-cleanup.js'
import { removalTransaction } from './removal-transaction.js'

export interface DestroyOptions {
  /** The domain that this process runs in; 0, the toolstack's, by default. */
  domid?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Takes a device out of the store in one transaction, without asking anybody (`libxl__device_destroy`): all of it in the
 * toolstack's domain, the backend's part in a driver domain. One that is gone already is no error.
 */
export async function destroyDevice(
  store: Xenstore,
  { paths, backendDomid }: DiskDevice,
  { domid = 0, signal }: DestroyOptions = {},
): Promise<void> {
  const own = domid === 0 ? [paths.frontend, paths.libxl, paths.backend] : backendDomid === domid ? [paths.backend] : []
  if (own.length === 0) return
  // libxl's own stays until the end: by it the device is found again, should this fail half way
  const others = own.filter(path => path !== paths.libxl)
  await removalTransaction(store, others, nodes => Promise.all(own.map(path => pathCleanup(nodes, path))), signal)
}
