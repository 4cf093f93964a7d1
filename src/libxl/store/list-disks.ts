import type { RequestOptions, Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { atoi } from '../c-integer.js'
import type { DeviceDisk } from '../device-disk.js'
import { libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../system-error.js'
import { checkDomainCall } from './check-call.js'
import type { ReadDiskOptions } from './get-disk.js'
import { disksOf, readDevice } from './read-device.js'

/** A disk of a domain, or why its nodes tell none. */
export type ListedDisk =
  | { devid: number; vdev: string; disk: DeviceDisk; error?: undefined }
  | { devid: number; vdev?: undefined; disk?: undefined; error: LibxlError }

/**
 * The disks of a domain in the store's order, each as one moment's nodes tell it (`libxl_device_disk_list`); none where
 * there is no such domain. A disk whose nodes are broken is listed with its error; with `libxlExact`, as in libxl, it fails the
 * whole list.
 *
 * @throws LibxlError ERROR_INVAL where the domain has both Xen's and virtio's disks
 * @throws XenstoreError where the store cannot be read
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export async function listDisks(store: Xenstore, domid: number, options: ReadDiskOptions = {}): Promise<ListedDisk[]> {
  checkDomainCall(store, domid, options)
  const { libxlExact = false, ...request } = options
  const kind = await disksOf(store, domid, request)
  const directory = libxlDevices(domid, kind)
  const names = await namesIn(store, directory, request)
  const disks = await Promise.all(
    names.map(async (name): Promise<ListedDisk | undefined> => {
      const devid = atoi(name)
      // one each: a daemon's transactions become slow when they see thousands of nodes
      const { value } = await store.transaction(async (nodes): Promise<ListedDisk | undefined> => {
        try {
          const disk = await readDevice(store, nodes, { domid, kind, devid }, libxlExact)
          return { devid, vdev: disk.vdev ?? '', disk }
        } catch (error) {
          if (libxlExact || !(error instanceof LibxlError)) throw error
          const isRemoved = (await nodes.readIfPresent(`${directory}/${devid}`)) === undefined
          return isRemoved ? undefined : { devid, error }
        }
      }, request)
      return value
    }),
  )
  return disks.filter(disk => disk !== undefined)
}

async function namesIn(nodes: XenstoreNodes, path: string, request: RequestOptions): Promise<string[]> {
  try {
    return await nodes.directory(path, request)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
