import type { RequestOptions, Xenstore } from '../../xenstore/xenstore.js'
import type { DeviceDisk } from '../device-disk.js'
import { unsupportedVdev } from '../devid-of.js'
import { parseVdev } from '../vdev.js'
import { checkDomainCall } from './check-call.js'
import { disksOf, readDevice } from './read-device.js'

export interface ReadDiskOptions extends RequestOptions {
  /** Read what libxl reads and nothing else; see `diskFromNodes`. */
  libxlExact?: boolean | undefined
}

/**
 * A domain's disk by its name, as one moment's nodes tell it (`libxl_vdev_to_device_disk`). It is read from libxl's own
 * tree, to which no guest can write; see `diskFromNodes` for the one exception and for what libxl forgets.
 *
 * @throws LibxlError ERROR_INVAL for a name that stands for no device, or where the domain has both Xen's and virtio's
 * disks; ERROR_FAIL where there is no such disk, one of its nodes is missing or unreadable, or its link to the backend names
 * another device (not with `libxlExact`)
 * @throws XenstoreError where the store cannot be read
 * @throws TypeError, RangeError for a domid outside 0 to 32751
 */
export async function getDisk(
  store: Xenstore,
  domid: number,
  vdev: string,
  options: ReadDiskOptions = {},
): Promise<DeviceDisk> {
  checkDomainCall(store, domid, options)
  const { libxlExact = false, ...request } = options
  const devid = parseVdev(vdev)?.devid ?? -1
  if (devid < 0) throw unsupportedVdev(vdev)
  const { value } = await store.transaction(async nodes => {
    const kind = await disksOf(nodes, domid)
    return readDevice(store, nodes, { domid, kind, devid }, { libxlExact, request })
  }, request)
  return value
}
