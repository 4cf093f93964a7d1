import type { DomainType, ResolvedDisk } from '../libxl/resolved-disk.js'
import type { Dialect } from './dialect.js'

/** What a device model's disks depend on besides the disks. */
export interface DeviceModelOptions {
  /** The guest's domain. Not needed: no argument tells it. */
  domid?: number | undefined
  /** QEMU emulates disks for HVM guests only; for others there are no arguments. */
  domainType: DomainType
  /** The controller of the guest's hard disks, as in xl.cfg's `hdtype`. Default: ide. */
  hdtype?: 'ide' | 'ahci' | undefined
  /** The guest's part in a COLO pair: the secondary's, or not. Default: as each COLO disk's `coloRestoreEnable` says. */
  coloRestore?: boolean | undefined
  /** QEMU runs in a stub domain, where the disks are /dev/xvda, /dev/xvdb, … */
  stubdom?: boolean | undefined
  /**
   * The backend's node `physical-device-path`, in which a hotplug script publishes the device it has made. A text counts
   * for every disk that has a script or is served by tap; where there are several, give a function.
   */
  physicalDevicePath?: string | ((disk: ResolvedDisk) => string | undefined) | undefined
}

/** How `buildDiskArgs` is to write what it writes. */
export interface DiskArgsOptions extends DeviceModelOptions {
  /** The Xen release whose strings are wanted. Default: 4.17, which is also master. */
  dialect?: Dialect | undefined
  /** Byte for byte what libxl emits, its unsafe strings included: docs/departures.md. Default: false. */
  libxlExact?: boolean | undefined
}
