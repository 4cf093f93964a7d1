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
}

/** All that libxl does with a disk before it writes it, with its refusals in its order. */
export async function prepareDisk(record: DeviceDisk, options: PrepareOptions): Promise<PreparedDisk> {
  const { domid, guest, host, domidOf, libxlExact } = options
  if (needsDeviceModel(record, host) && !guest.hasDeviceModel) {
    throw new LibxlError(-3, 'device model required but not running')
  }
  const context = { domid, domainType: guest.domainType, domidOf }
  const disk = await resolveExamined(record, context, path => host.examine(path))
  if (!libxlExact) await checkImage(disk, host)
  if (isOnEmptyFile({ ...disk, backend: record.backend }) && disk.pdevPath !== undefined) {
    await host.createEmptyCdrom(disk.pdevPath)
  }
  return { disk, device: diskDevice(disk, domid) }
}

/** Asked of the record as it was given, before libxl chooses a backend or looks a domain's name up. */
const needsDeviceModel = ({ backend, backendDomid }: DeviceDisk, host: DiskHost): boolean =>
  backend === 'qdisk' && backendDomid === host.domid
