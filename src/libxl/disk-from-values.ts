import { type DeviceNumber, parseBackendLink, unreadableLink } from './backend-link.js'
import { blankDisk } from './blank-disk.js'
import { atoi, atou, scanUnsigned, strtoul } from './c-integer.js'
import type { DeviceDisk, DiskBackend } from './device-disk.js'
import { libxlDevices } from './device-paths.js'
import { diskSpecifications, diskTransports, findWord } from './disk-words.js'
import { LibxlError } from './libxl-error.js'
import { restoreForgotten } from './restore-forgotten.js'

/** The value of a node of the device, by its name in the device's directory; undefined where there is none. */
export type ReadValue = (key: string) => string | undefined

/** What else `diskFromValues` is to know. */
export interface FromValuesOptions {
  /** The node `trusted` of the guest's own directory. */
  guestTrusted: string | undefined
  libxlExact: boolean
}

/**
 * The record of one device from the values of its directory in libxl's own tree; see `diskFromNodes`.
 *
 * @throws LibxlError with libxl's reason where a node is missing or unreadable
 */
export function diskFromValues(
  read: ReadValue,
  device: DeviceNumber,
  { guestTrusted, libxlExact }: FromValuesOptions,
): DeviceDisk {
  const disk = readAsLibxl(read, device, libxlExact)
  return libxlExact ? disk : restoreForgotten(disk, read, guestTrusted)
}

/** What libxl says of a device that has no link to a backend. */
export const noSuchDevice = ({ domid, kind, devid }: DeviceNumber): LibxlError =>
  new LibxlError('device-missing', `disk ${libxlDevices(domid, kind)}/${devid} does not exist (no backend path`)

function readAsLibxl(read: ReadValue, device: DeviceNumber, libxlExact: boolean): DeviceDisk {
  const path = `${libxlDevices(device.domid, device.kind)}/${device.devid}`
  const need = (key: string): string => {
    const value = read(key)
    if (value === undefined) throw new LibxlError('node-missing', `Missing xenstore node ${path}/${key}`)
    return value
  }

  const disk = blankDisk()
  const backend = read('backend')
  if (backend === undefined) throw noSuchDevice(device)
  disk.backendDomid = libxlExact ? domidInLink(backend) : parseBackendLink(backend, device, false).backendDomid
  const params = read('params')
  disk.pdevPath = params?.slice(params.indexOf(':') + 1)

  const coloHost = read('colo-host')
  disk.coloEnable = coloHost !== undefined
  if (coloHost !== undefined) {
    disk.coloHost = coloHost
    disk.coloPort = atoi(need('colo-port'))
    disk.coloExport = need('colo-export')
    disk.activeDisk = need('active-disk')
    disk.hiddenDisk = need('hidden-disk')
  }

  disk.backend = backends.get(need('type')) ?? 'unknown'
  disk.specification = wordOf(read('specification') ?? 'xen', diskSpecifications, `${path}/specification`)
  if (disk.specification === 'virtio') {
    disk.transport = wordOf(need('transport'), diskTransports, `${path}/transport`)
    if (disk.transport !== 'mmio') {
      throw new LibxlError('node-invalid', 'Only transport mmio is expected for specification virtio')
    }
    disk.base = safeBase(need('base'), path)
    disk.irq = atou(need('irq'))
    const grantUsage = read('grant_usage')
    disk.grantUsage = grantUsage === undefined ? disk.backendDomid !== 0 : strtoul(grantUsage, 0).value !== 0n
  }

  disk.vdev = need('dev')
  disk.removable = atoi(need('removable')) !== 0
  disk.readwrite = need('mode') === 'w'
  disk.isCdrom = need('device-type') === 'cdrom'
  return disk
}

/** What the node `type` may say (`libxl_string_to_backend`). */
const backends: ReadonlyMap<string, DiskBackend> = new Map([
  ['phy', 'phy'],
  ['file', 'tap'],
  ['vbd3', 'tap'],
  ['qdisk', 'qdisk'],
  ['standalone', 'standalone'],
])

const domainRoot = '/local/domain/'

/** What `sscanf` finds there: of -1 it makes 4294967295. */
function domidInLink(path: string): number {
  const domid = path.startsWith(domainRoot) ? scanUnsigned(path, domainRoot.length) : undefined
  if (domid === undefined || path[domid.end] !== '/') {
    throw unreadableLink(path)
  }
  return domid.value
}

function wordOf<Word extends string>(text: string, words: readonly Word[], path: string): Word {
  const word = findWord(words, text)
  if (word === undefined) throw new LibxlError('node-invalid', `Unable to parse xenstore node ${path}`)
  return word
}

function safeBase(text: string, path: string): number {
  const { value } = strtoul(text, 10)
  if (value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new LibxlError(
      'node-invalid',
      `xenstore node ${path}/base is ${text}: addresses from 2^53 up are not supported`,
    )
  }
  return Number(value)
}
