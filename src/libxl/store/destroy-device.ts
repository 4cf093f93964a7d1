import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import type { ClaimState, DeviceClaim } from './device-claim.js'
import type { DiskDevice } from './disk-device.js'
import { pathCleanup } from './path-cleanup.js'
import { removalTransaction } from './removal-transaction.js'

export interface DestroyOptions {
  /** What knows whether the device is still the one that is meant; without it, whatever stands there is removed, as libxl does. */
  claim?: DeviceClaim | undefined
  /** The domain that this process runs in; 0, the toolstack's, by default. */
  domid?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Removes a device from the store in one transaction, without asking anybody (`libxl__device_destroy`): all of it in the
 * toolstack's domain, the backend's part in a driver domain. One that is gone already is no error.
 *
 * @returns 'held' where it was removed; else what stands there, which was left alone
 */
export async function destroyDevice(
  store: Xenstore,
  { paths, backendDomid }: DiskDevice,
  { claim, domid = 0, signal }: DestroyOptions = {},
): Promise<ClaimState> {
  const own = domid === 0 ? [paths.frontend, paths.libxl, paths.backend] : backendDomid === domid ? [paths.backend] : []
  if (own.length === 0) return 'held'
  const state = async (nodes: XenstoreNodes, request?: { signal: AbortSignal | undefined }): Promise<ClaimState> =>
    claim === undefined ? 'held' : claim.check(nodes, paths.backend, request)
  const body = async (nodes: XenstoreNodes): Promise<ClaimState> => {
    const now = await state(nodes)
    if (now !== 'held') return now
    await Promise.all(own.map(path => pathCleanup(nodes, path)))
    await claim?.checkUndisturbed()
    return now
  }
  // libxl's own stays until the end: by it the device is found again, should this fail half way
  const others = own.filter(path => path !== paths.libxl)
  const mayRemove = async () => (await state(store, { signal })) === 'held'
  return removalTransaction(store, body, { paths: others, mayRemove, signal })
}
