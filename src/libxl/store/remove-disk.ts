import type { Xenstore } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import { abortable } from './abortable.js'
import { checkRemoveCall } from './check-call.js'
import { deviceChanged } from './device-changed.js'
import { DeviceClaim } from './device-claim.js'
import { findDevice } from './find-device.js'
import { type RemovedDevice, removeDevice } from './remove-device.js'
import type { RemoveDiskOptions } from './remove-disk-options.js'
import { runScript } from './run-script.js'

/** A disk that was removed. */
export interface RemovedDisk extends RemovedDevice {
  vdev: string
  devid: number
}

/**
 * Detaches a disk from a guest, as `xl block-detach` does: tells its backend to close, waits until the guest has let go, runs
 * the hotplug script where the backend is in this process's domain, and takes the nodes out of the store
 * (`libxl_device_disk_safe_remove`, `_destroy` with `force`, `_remove` with 'auto').
 *
 * A device that another process removes meanwhile counts as removed (`byAnother`); one that it attaches there is left alone, and
 * the error says so.
 *
 * As in libxl no lock is taken, and its file of the domain's configuration stays as it is: its readers leave out what is not in xenstore.
 *
 * @throws LibxlError device-changed where another device stands there now; ERROR_INVAL for a name that stands for no device, ERROR_FAIL where there is no such disk or it is
 * virtio's; ERROR_TIMEDOUT where the guest does not let go: the message says what was left; ERROR_ABORTED
 * @throws XenstoreError where the store fails
 * @throws TypeError, RangeError for a domid outside 0 to 32751 or a time that is none
 */
export async function removeDisk(
  store: Xenstore,
  domid: number,
  vdev: string,
  options: RemoveDiskOptions = {},
): Promise<RemovedDisk> {
  checkRemoveCall(store, domid, vdev, options)
  const {
    force = false,
    host = { domid: 0, runScript },
    paused = false,
    timeouts,
    signal,
    libxlExact = false,
  } = options
  return abortable(signal, `removing the disk ${vdev} of domain ${domid}`, async () => {
    const found = await findDevice(store, domid, vdev, { signal, libxlExact })
    using claim = libxlExact ? undefined : new DeviceClaim(store, found.paths)
    // looked up again: from now on nothing that happens to it is missed
    const device = (await claim?.see(() => findDevice(store, domid, vdev, { signal, libxlExact }))) ?? found
    if (device.kind === 'virtio_disk') {
      throw new LibxlError('virtio-hotunplug', "Hotunplug isn't supported for specification virtio")
    }
    const options = { force, host, paused, timeouts, signal, libxlExact, claim }
    const { state, ...removed } = await removeDevice(store, device, options)
    if (state !== 'held' && state !== 'gone') {
      throw deviceChanged(device, state, `${device.vdev} was being removed`)
    }
    return { vdev: device.vdev, devid: device.devid, ...removed }
  })
}
