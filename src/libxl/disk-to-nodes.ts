import { checkObject } from '../check-argument.js'
import { checkDomainType, checkDomid } from './check-guest.js'
import { checkResolvedDisk } from './check-resolved-disk.js'
import { devicePaths } from './device-paths.js'
import { devidOf } from './devid-of.js'
import type { DomainType, ResolvedDisk } from './resolved-disk.js'
import { absoluteScript } from './script-path.js'

/** One xenstore node: `perms` as xenstore writes them, owner first ("n0,r11": domain 0 owns it, domain 11 may read). */
export interface XenstoreNode {
  path: string
  value: string
  perms: string
}

/** What a disk's nodes depend on besides the disk. */
export interface NodesContext {
  /** The guest's domain. */
  domid: number
  domainType: DomainType
}

type Entry = readonly [key: string, value: string]

const initialising = '1'

/**
 * The xenstore nodes of a disk that libxl writes when it attaches one, in its order: libxl's two links, the frontend,
 * the backend, and the backend's values again in libxl's own directory (`device_disk_add`, `libxl__device_generic_add`).
 * A COLO string that is not set becomes the text "(null)", as in libxl.
 *
 * @throws LibxlError when the disk's vdev has no device number
 * @throws TypeError, RangeError for a disk that is no resolved one, a domid outside 0 to 32751 or an unknown domainType
 */
export function diskToNodes(disk: ResolvedDisk, context: NodesContext): XenstoreNode[] {
  checkResolvedDisk(disk)
  checkObject('context', context, 'an object with domid and domainType')
  const { domid, domainType } = context
  checkDomid(domid)
  checkDomainType(domainType)
  const devid = devidOf(disk.vdev)
  const paths = devicePaths(disk, domid, devid)
  const guestOwned = `n${domid},r${disk.backendDomid}`
  const backendOwned = `n${disk.backendDomid},r${domid}`
  const backend = backendEntries(disk, domid)
  return [
    ...directory(paths.libxl, 'n0', [
      ['frontend', paths.frontend],
      ['backend', paths.backend],
    ]),
    ...directory(paths.frontend, guestOwned, [['backend', paths.backend], ...frontendEntries(disk, devid, domainType)]),
    ...directory(paths.backend, backendOwned, [['frontend', paths.frontend], ...backend]),
    ...entries(paths.libxl, 'n0', backend),
  ]
}

const directory = (path: string, perms: string, values: readonly Entry[]): XenstoreNode[] => [
  { path, value: '', perms },
  ...entries(path, perms, values),
]

const entries = (path: string, perms: string, values: readonly Entry[]): XenstoreNode[] =>
  values.map(([key, value]) => ({ path: `${path}/${key}`, value, perms }))

const frontendEntries = (disk: ResolvedDisk, devid: number, domainType: DomainType): Entry[] => [
  ['backend-id', String(disk.backendDomid | 0)],
  ['state', initialising],
  ['virtual-device', String(devid)],
  ['device-type', deviceType(disk)],
  ['trusted', bit(disk.trusted)],
  ...(domainType === 'pv' ? [['protocol', 'x86_64-abi'] as const] : []),
]

const backendEntries = (disk: ResolvedDisk, domid: number): Entry[] => [
  ...parameterEntries(disk),
  ['frontend-id', String(domid)],
  ['online', '1'],
  ['removable', bit(disk.removable)],
  ['bootable', '1'],
  ['state', initialising],
  ['dev', disk.vdev],
  ['type', disk.backend === 'tap' ? 'vbd3' : disk.backend],
  ['mode', disk.readwrite ? 'w' : 'r'],
  ['device-type', deviceType(disk)],
  ...(disk.directIoSafe ? [['direct-io-safe', '1'] as const] : []),
  ['discard-enable', bit(disk.discardEnable)],
  ...(disk.specification === 'unknown' ? [] : [['specification', disk.specification] as const]),
  ...(disk.specification === 'virtio' ? virtioEntries(disk) : []),
]

const virtioEntries = (disk: ResolvedDisk): Entry[] => [
  ['transport', disk.transport],
  ['base', String(disk.base)],
  ['irq', String(disk.irq)],
  ['grant_usage', bit(disk.grantUsage ?? false)],
]

/** What the backend opens: a path for phy and virtio, "format:path" for those that read images. */
function parameterEntries(disk: ResolvedDisk): Entry[] {
  const image = `${imageFormat(disk)}:${disk.pdevPath ?? ''}`
  const path: Entry[] = disk.pdevPath === undefined ? [] : [['params', disk.pdevPath]]
  switch (disk.backend) {
    case 'phy':
      return [...path, ['script', absoluteScript(disk.script ?? 'block')]]
    case 'standalone':
      return path
    case 'tap':
      return [
        ['params', image],
        ['script', absoluteScript(disk.script ?? 'block-tap')],
      ]
    case 'qdisk':
      return [['params', image], ...(disk.coloEnable ? coloEntries(disk) : [])]
  }
}

const coloEntries = (disk: ResolvedDisk): Entry[] => [
  ['colo-host', disk.coloHost ?? '(null)'],
  ['colo-port', String(disk.coloPort)],
  ['colo-export', disk.coloExport ?? '(null)'],
  ['active-disk', disk.activeDisk ?? '(null)'],
  ['hidden-disk', disk.hiddenDisk ?? '(null)'],
]

function imageFormat({ format }: ResolvedDisk): string {
  if (format === 'raw' || format === 'empty') return 'aio'
  return format === 'unknown' ? '(null)' : format
}

const deviceType = ({ isCdrom }: ResolvedDisk): string => (isCdrom ? 'cdrom' : 'disk')

const bit = (value: boolean): string => (value ? '1' : '0')
