import type { DeviceDisk } from '../device-disk.js'
import { diskToNodes } from '../disk-to-nodes.js'
import type { DomainType } from '../resolved-disk.js'
import type { PreparedDisk } from './prepare-disk.js'
import type { WrittenDevice } from './read-written.js'

/** What a device in the store has otherwise than a disk that is wanted there. */
export interface DiskDifference {
  /** The node, as libxl calls it. */
  readonly node: string
  /** The member of the record that it comes from; absent for what follows from the whole. */
  readonly field?: keyof DeviceDisk
  /** Their values; undefined where there is no such node. */
  readonly wanted: string | undefined
  readonly found: string | undefined
}

const fields: Readonly<Record<string, keyof DeviceDisk>> = {
  params: 'pdevPath',
  script: 'script',
  removable: 'removable',
  dev: 'vdev',
  type: 'backend',
  backend: 'backend',
  mode: 'readwrite',
  'device-type': 'isCdrom',
  'direct-io-safe': 'directIoSafe',
  'discard-enable': 'discardEnable',
  specification: 'specification',
  transport: 'transport',
  base: 'base',
  irq: 'irq',
  grant_usage: 'grantUsage',
  trusted: 'trusted',
  'colo-host': 'coloHost',
  'colo-port': 'coloPort',
  'colo-export': 'coloExport',
  'active-disk': 'activeDisk',
  'hidden-disk': 'hiddenDisk',
}

/** Compares a device with what would be written for a disk. Only the toolstack's own copy counts, and whether it is being detached. */
export function diskDifferences(
  { disk, device }: PreparedDisk,
  domainType: DomainType,
  found: WrittenDevice,
): DiskDifference[] {
  const root = `${device.paths.libxl}/`
  const nodes = diskToNodes(disk, { domid: device.domid, domainType })
  const wanted = new Map(
    nodes.filter(({ path }) => path.startsWith(root)).map(({ path, value }) => [path.slice(root.length), value]),
  )
  const names = new Set([...wanted.keys(), ...found.own.keys()])
  const differences = [...names].flatMap(node => differenceOf(node, wanted.get(node), found.own.get(node)))
  const trusted = nodes.find(({ path }) => path === `${device.paths.frontend}/trusted`)?.value
  differences.push(...differenceOf('trusted', trusted, found.trusted ?? trusted))
  // the backend's own copy: 0 once somebody has begun to detach the device
  differences.push(...differenceOf('online', '1', found.online))
  return differences
}

function differenceOf(node: string, wanted: string | undefined, found: string | undefined): DiskDifference[] {
  if (wanted === found) return []
  const field = fields[node]
  return [{ node, ...(field !== undefined && { field }), wanted, found }]
}
