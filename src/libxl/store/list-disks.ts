import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { atoi } from '../c-integer.js'
import { checkDomid } from '../check-guest.js'
import type { DeviceDisk } from '../device-disk.js'
import { libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../stat-target.js'
import type { ReadDiskOptions } from './get-disk.js'
import { disksOf, readDevice } from './read-device.js'

/** A disk of a domain, or why its nodes tell none. */
export type ListedDisk =
  | { devid: number; vdev: string; disk: DeviceDisk; error?: undefined }
  | { devid: number; vdev?: undefined; disk?: undefined; error: LibxlError }

/**
 * The disks of a domain in the store's order, as one moment's nodes tell them (`libxl_device_disk_list`); none where there
 * is no such domain. A disk whose nodes are broken is listed with its error; with `libxlExact`, as in libxl, it fails the
 * whole list.
 *
 * @throws LibxlError ERROR_INVAL where the domain has both Xen's and virtio's disks
 * @throws XenstoreError where the store cannot be read
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export async function listDisks(
  store: Xenstore,
  domid: number,
  { libxlExact = false, ...request }: ReadDiskOptions = {},
): Promise<ListedDisk[]> {
  checkDomid(domid)
  const { value } = await store.transaction(async nodes => {
    const kind = await disksOf(nodes, domid)
    const names = await namesIn(nodes, libxlDevices(domid, kind))
    return Promise.all(
      names.map(async (name): Promise<ListedDisk> => {
        const devid = atoi(name)
        try {
          const disk = await readDevice(nodes, { domid, kind, devid }, libxlExact)
          return { devid, vdev: disk.vdev ?? '', disk }
        } catch (error) {
          if (libxlExact || !(error instanceof LibxlError)) throw error
          return { devid, error }
        }
      }),
    )
  }, request)
  return value
}

async function namesIn(nodes: XenstoreNodes, path: string): Promise<string[]> {
  try {
    return await nodes.directory(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
