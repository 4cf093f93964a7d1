import type { DeviceDisk } from '../../libxl/device-disk.js'
import { domainsByName } from '../../libxl/store/domains-by-name.js'
import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'

/**
 * Disks as a spec has them, with the names of their backends' domains, which the store knows and no record that is read back
 * has. A domain keeps its number where its name would not lead to it: another has the same, or it is one that no spec gives.
 */
export async function withBackendNames(
  disks: readonly DeviceDisk[],
  store: XenstoreNodes,
  request: RequestOptions,
): Promise<readonly DeviceDisk[]> {
  if (disks.every(({ backendDomid }) => backendDomid === 0)) return disks
  const domids = await domainsByName(store, request)
  const names = new Map([...domids].filter(([name]) => isWritable(name)).map(([name, domid]) => [domid, name]))
  return disks.map(disk => (disk.backendDomid === 0 ? disk : { ...disk, backendDomname: names.get(disk.backendDomid) }))
}

/** Digits alone are a number; a comma or a line end would end the parameter, a blank at its end is not read. */
const isWritable = (name: string): boolean => /^(?![0-9]*$)[^,\s]+$/u.test(name)
