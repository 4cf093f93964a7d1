import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import type { DeviceNumber } from '../backend-link.js'
import { atoi } from '../c-integer.js'
import type { DeviceDisk } from '../device-disk.js'
import { libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../system-error.js'
import { checkDomainCall } from './check-call.js'
import type { ReadDiskOptions } from './get-disk.js'
import { disksOf, namesIn, type ReadDeviceOptions, readDevice } from './read-device.js'

/** A disk of a domain, or why its nodes tell none. */
export type ListedDisk =
  | { devid: number; vdev: string; disk: DeviceDisk; error?: undefined }
  | { devid: number; vdev?: undefined; disk?: undefined; error: LibxlError }

/** A daemon looks through all nodes that a transaction has seen for each more: what a start and an end cost is shared by few. */
const perTransaction = 16
/** So that the daemon always has something to do, and memory does not grow with the disks. */
const transactionsAtOnce = 4

/**
 * The disks of a domain in the store's order, each as one moment's nodes tell it (`libxl_device_disk_list`); none where
 * there is no such domain. A disk whose nodes are broken, or whose link to its backend names another device, is listed with
 * its error; with `libxlExact`, as in libxl, the former fails the whole list and the latter is not noticed.
 *
 * @throws LibxlError ERROR_INVAL where the domain has both Xen's and virtio's disks
 * @throws XenstoreError where the store cannot be read
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export async function listDisks(store: Xenstore, domid: number, options: ReadDiskOptions = {}): Promise<ListedDisk[]> {
  checkDomainCall(store, domid, options)
  const { libxlExact = false, ...request } = options
  const kind = await disksOf(store, domid, request)
  const names = (await namesIn(store, libxlDevices(domid, kind), request)) ?? []
  const batches: DeviceNumber[][] = []
  for (let start = 0; start < names.length; start += perTransaction) {
    batches.push(names.slice(start, start + perTransaction).map(name => ({ domid, kind, devid: atoi(name) })))
  }
  const listed: ListedDisk[][] = []
  const rest = batches.entries()
  const work = async () => {
    for (const [index, batch] of rest) listed[index] = await listTogether(store, batch, { libxlExact, request })
  }
  await Promise.all(Array.from({ length: transactionsAtOnce }, work))
  return listed.flat()
}

/** Reads some devices in one transaction; where they change too often for that, fewer at a time. */
async function listTogether(
  store: Xenstore,
  devices: readonly DeviceNumber[],
  options: ReadDeviceOptions,
): Promise<ListedDisk[]> {
  const isAlone = devices.length === 1
  const body = (nodes: XenstoreNodes) => Promise.all(devices.map(device => listOne(store, nodes, device, options)))
  try {
    const bounds = isAlone ? options.request : { ...options.request, attempts: 2 }
    const { value } = await store.transaction(body, bounds)
    return value.filter(disk => disk !== undefined)
  } catch (error) {
    if (isAlone || codeOf(error) !== 'EAGAIN') throw error
  }
  const half = devices.length >> 1
  const halves = [devices.slice(0, half), devices.slice(half)]
  return (await Promise.all(halves.map(some => listTogether(store, some, options)))).flat()
}

/** Undefined where it was removed since its name was read. */
async function listOne(
  store: Xenstore,
  nodes: XenstoreNodes,
  device: DeviceNumber,
  options: ReadDeviceOptions,
): Promise<ListedDisk | undefined> {
  const { domid, kind, devid } = device
  try {
    const disk = await readDevice(store, nodes, device, options)
    return { devid, vdev: disk.vdev ?? '', disk }
  } catch (error) {
    if (options.libxlExact || !(error instanceof LibxlError)) throw error
    const isRemoved = (await nodes.readIfPresent(`${libxlDevices(domid, kind)}/${devid}`)) === undefined
    return isRemoved ? undefined : { devid, error }
  }
}
