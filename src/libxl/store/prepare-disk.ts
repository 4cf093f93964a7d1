import { isDomid } from '../check-guest.js'
import type { DeviceDisk } from '../device-disk.js'
import { LibxlError } from '../libxl-error.js'
import { isOnEmptyFile } from '../resolve-disk.js'
import { resolveExamined } from '../resolve-disk-on-host.js'
import type { ResolvedDisk } from '../resolved-disk.js'
import { checkImage } from './check-image.js'
import { type DiskDevice, diskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'
import type { Guest } from './guest-of.js'

/** A disk that is ready to be written. */
export interface PreparedDisk {
  disk: ResolvedDisk
  device: DiskDevice
}

export interface PrepareOptions {
  domid: number
  guest: Guest
  host: DiskHost
  domidOf: (name: string) => number | undefined
  libxlExact: boolean
  /** The disk is to be served at once. */
  wait: boolean
}

/** All that libxl does with a disk before it writes it, with its refusals in its order. */
export async function prepareDisk(record: DeviceDisk, options: PrepareOptions): Promise<PreparedDisk> {
  const { domid, guest, host, domidOf, libxlExact, wait } = options
  if (needsDeviceModel(record, host) && !guest.hasDeviceModel) {
    throw new LibxlError('device-model-missing', 'device model required but not running')
  }
  const context = { domid, domainType: guest.domainType, domidOf, libxlExact }
  const disk = await resolveExamined(record, context, path => host.examine(path))
  if (!isDomid(disk.backendDomid)) {
    throw new LibxlError(
      'backend-domain-invalid',
      `Disk vdev=${disk.vdev}: no domain has the number ${disk.backendDomid} (backend)`,
    )
  }
  if (!libxlExact) {
    if (wait && needsDeviceModel(disk, host) && !guest.hasDeviceModel) throw nobodyServes(disk)
    await checkImage(disk, host)
  }
  if (isOnEmptyFile({ ...disk, backend: record.backend }) && disk.pdevPath !== undefined) {
    await host.createEmptyCdrom(disk.pdevPath)
  }
  return { disk, device: diskDevice(disk, domid) }
}

/** libxl asks it of the record as it was given, before it chooses a backend or looks a domain's name up. */
const needsDeviceModel = ({ backend, backendDomid }: DeviceDisk, host: DiskHost): boolean =>
  backend === 'qdisk' && backendDomid === host.domid

const nobodyServes = ({ vdev }: ResolvedDisk): LibxlError =>
  new LibxlError(
    'device-model-missing',
    `device model required but not running: ${vdev} is for QEMU, which the guest was started without`,
  )
