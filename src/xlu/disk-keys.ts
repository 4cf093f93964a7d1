import type { DeviceDisk } from '../libxl/device-disk.js'

/** What a named parameter takes: its legal values where there is a list of them, else a word for what it takes. */
interface DiskKey {
  /** The field of the record that it gives. */
  field: keyof DeviceDisk
  values?: readonly string[]
  takes?: string
}

/** The named parameters of an xl disk spec (xl-disk-configuration(5)). */
export const diskKeys: ReadonlyMap<string, DiskKey> = new Map<string, DiskKey>([
  ['format', { field: 'format', values: ['raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty'] }],
  ['vdev', { field: 'vdev', takes: 'a device name such as xvda' }],
  ['devtype', { field: 'isCdrom', values: ['disk', 'cdrom'] }],
  ['access', { field: 'readwrite', values: ['r', 'ro', 'w', 'rw'] }],
  ['backend', { field: 'backendDomname', takes: 'the name or domid of a driver domain' }],
  ['backendtype', { field: 'backend', values: ['phy', 'qdisk', 'tap', 'standalone'] }],
  ['specification', { field: 'specification', values: ['xen', 'virtio'] }],
  ['script', { field: 'script', takes: 'the name of a hotplug script' }],
  ['colo-host', { field: 'coloHost', takes: "the secondary host's address" }],
  ['colo-port', { field: 'coloPort', takes: 'a port from 1 to 65535' }],
  ['colo-export', { field: 'coloExport', takes: 'the name of an NBD export' }],
  ['active-disk', { field: 'activeDisk', takes: 'a path' }],
  ['hidden-disk', { field: 'hiddenDisk', takes: 'a path' }],
  ['grant_usage', { field: 'grantUsage', values: ['0', '1'] }],
  ['target', { field: 'pdevPath', takes: 'a path, last in the spec' }],
])

/** The parameters that stand alone. */
export const diskFlags = [
  'cdrom',
  'direct-io-safe',
  'discard',
  'no-discard',
  'colo',
  'no-colo',
  'trusted',
  'untrusted',
] as const

/** The fields that they give. */
export const flagFields: Readonly<Record<(typeof diskFlags)[number], keyof DeviceDisk>> = {
  cdrom: 'isCdrom',
  'direct-io-safe': 'directIoSafe',
  discard: 'discardEnable',
  'no-discard': 'discardEnable',
  colo: 'coloEnable',
  'no-colo': 'coloEnable',
  trusted: 'trusted',
  untrusted: 'trusted',
}

/** The deprecated prefixes that libxlutil knows. */
export const diskPrefixes = [
  ...['raw', 'qcow', 'qcow2', 'vhd', 'iscsi', 'nbd', 'enbd', 'drbd'],
  ...['tap', 'tap2', 'tapdisk', 'aio', 'ioemu', 'file', 'phy'],
] as const
