import type { DiskHost } from './disk-host.js'
import type { RemoveTimeouts } from './remove-device.js'

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
