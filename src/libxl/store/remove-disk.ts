import type { Xenstore } from '../../xenstore/xenstore.js'
import { checkDomid } from '../check-guest.js'
import { LibxlError } from '../libxl-error.js'
import { abortable } from './abortable.js'
import type { DiskHost } from './disk-host.js'
import { findDevice } from './find-device.js'
import { type RemovedDevice, type RemoveTimeouts, removeDevice } from './remove-device.js'
import { runScript } from './run-script.js'

export interface RemoveDiskOptions {
  /**
   * false (default) asks the guest, and leaves it the disk when it does not let go (`xl block-detach`); true takes it from the
   * guest (`xl block-detach --force`); 'auto' asks first, and takes it when that was of no use.
   */
  force?: boolean | 'auto' | undefined
  /** Whose domain this is, and what runs the hotplug script; by default this machine, as domain 0. */
  host?: Pick<DiskHost, 'domid' | 'runScript'> | undefined
  /** The guest is paused, dying or shut down: QEMU, then, is not waited for (libxl asks the hypervisor). */
  paused?: boolean | undefined
  timeouts?: Partial<Record<keyof RemoveTimeouts, number | undefined>> | undefined
  /** Gives up the waiting. What the backend was told by then it stays told. */
  signal?: AbortSignal | undefined
  /** Do as libxl does where this library knows better: see docs/departures.md. */
  libxlExact?: boolean | undefined
}

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
 * As in libxl no lock is taken, and its file of the domain's configuration stays as it is: its readers leave out what is not in xenstore.
 *
 * @throws LibxlError ERROR_INVAL for a name that stands for no device, ERROR_FAIL where there is no such disk or it is
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
  const {
    force = false,
    host = { domid: 0, runScript },
    paused = false,
    timeouts,
    signal,
    libxlExact = false,
  } = options
  checkDomid(domid)
  return abortable(signal, `removing the disk ${vdev} of domain ${domid}`, async () => {
    const device = await findDevice(store, domid, vdev, { signal })
    if (device.kind === 'virtio_disk') {
      throw new LibxlError(-3, "Hotunplug isn't supported for specification virtio")
    }
    const removed = await removeDevice(store, device, { force, host, paused, timeouts, signal, libxlExact })
    return { vdev: device.vdev, devid: device.devid, ...removed }
  })
}
