import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDisk } from '../check-disk.js'
import type { DeviceDisk } from '../device-disk.js'
import { LibxlError } from '../libxl-error.js'
import type { AddDiskOptions } from './add-disk-options.js'
import { type AttachedDisk, addDisks } from './add-disks.js'
import { AttachError } from './attach-error.js'

/**
 * Attaches a disk to a running guest, as `xl block-attach` does (`libxl_device_disk_add`): puts libxl's nodes in the store
 * in one transaction, and waits until the backend has taken the disk up. When that fails, or a node is refused, nothing
 * stays behind; with `libxlExact`, what libxl would leave.
 *
 * libxl's lock of the domain is held meanwhile, and the disk put in libxl's file of its configuration: see docs/attach.md.
 *
 * @throws LibxlError where libxl refuses, with its number and reason: ERROR_DEVICE_EXISTS for a device that is there
 * already, ERROR_INVAL or ERROR_FAIL for a disk that cannot be attached; ERROR_FAIL, with the store's XenstoreError as the
 * `cause`, for a node that the store refuses; the backend's own reason where it does not come up; ERROR_TIMEDOUT,
 * also of libxl's lock of the domain, or ERROR_LOCK_FAIL where it cannot be taken; ERROR_ABORTED when the signal is aborted, with its reason as the `cause`
 * @throws XenstoreError where the connection to the store fails
 * @throws TypeError, RangeError for a domid outside 0 to 32751, an unknown domainType, a disk that is no whole record or a
 * time that is none
 */
export async function addDisk(store: Xenstore, disk: DeviceDisk, options: AddDiskOptions): Promise<AttachedDisk> {
  checkDisk(disk)
  try {
    const [attached] = await addDisks(store, [disk], options)
    return attached!
  } catch (error) {
    throw error instanceof AttachError && isWhole(error) ? error.failures[0]!.error : error
  }
}

/** Whether the disk's own error says all that there is to say. */
const isWhole = ({ failures, rollback, reason }: AttachError): boolean =>
  reason !== 'aborted' &&
  failures.length === 1 &&
  (rollback.outcome === 'nothing-written' ||
    rollback.outcome === 'kept' ||
    (rollback.outcome === 'complete' && rollback.left.length === 0 && !(failures[0]!.error instanceof LibxlError)))
