import { checkDomainType, checkDomid, checkFlag, checkHdtype } from '../../libxl/check-guest.js'
import { diskBackends, diskFormats } from '../../libxl/disk-words.js'
import { refuseSharedDevices } from '../../libxl/refuse-shared-devices.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { show } from '../option-text.js'
import { refuseDisk } from '../refuse-disk.js'

/** For callers without types; and libxl never comes to arguments where it refuses two disks with one device number. */
export function checkArguments(disks: readonly ResolvedDisk[], options: DeviceModelOptions): void {
  if (!Array.isArray(disks)) throw new TypeError('disks must be an array of resolved disks')
  for (const [index, disk] of disks.entries()) checkResolved(disk, `disks[${index}]`)
  if (typeof options !== 'object' || options === null) throw new TypeError('the options lack: domainType at least')
  const { domid, domainType, hdtype, coloRestore, stubdom } = options
  if (domid !== undefined) checkDomid(domid)
  checkDomainType(domainType)
  checkHdtype(hdtype)
  checkFlag('coloRestore', coloRestore)
  checkFlag('stubdom', stubdom)
  refuseSharedDevices(disks)
}

const texts = [
  'pdevPath',
  'script',
  'backendDomname',
  'coloHost',
  'coloExport',
  'activeDisk',
  'hiddenDisk',
] as const satisfies (keyof ResolvedDisk)[]

const flags = ['readwrite', 'isCdrom', 'coloEnable', 'coloRestoreEnable'] as const satisfies (keyof ResolvedDisk)[]

function checkResolved(disk: Partial<ResolvedDisk> | null, name: string): void {
  if (typeof disk?.vdev !== 'string') throw new TypeError(`${name} is no disk: it has no vdev`)
  for (const key of texts) {
    const value: unknown = disk[key]
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`${name}, ${disk.vdev}: ${key} must be a string or undefined, not of type ${typeof value}`)
  }
  for (const key of flags) checkFlag(`${name}, ${disk.vdev}: ${key}`, disk[key])
  if ((disk.backend as string) === 'unknown')
    throw new TypeError(`${name}, ${disk.vdev}, has no backend yet: pass it through resolveDisk`)
  if (!(diskBackends as readonly unknown[]).includes(disk.backend))
    throw new TypeError(`${name}, ${disk.vdev}: backend must be one of ${diskBackends.slice(1).join(', ')}`)
  const { format } = disk
  if (!(diskFormats as readonly unknown[]).includes(format)) {
    const given = typeof format === 'string' ? show(format) : typeof format
    throw refuseDisk(
      'arguments-refused',
      disk as ResolvedDisk,
      `no format is called ${given}: write one of ${diskFormats.slice(1).join(', ')}`,
    )
  }
}
