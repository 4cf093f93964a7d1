/** What a named parameter takes: its legal values where there is a list of them, else a word for what it takes. */
interface DiskKey {
  values?: readonly string[]
  takes?: string
}

/** The named parameters of an xl disk spec (xl-disk-configuration(5)). */
export const diskKeys: ReadonlyMap<string, DiskKey> = new Map<string, DiskKey>([
  ['format', { values: ['raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty'] }],
  ['vdev', { takes: 'a device name such as xvda' }],
  ['devtype', { values: ['disk', 'cdrom'] }],
  ['access', { values: ['r', 'ro', 'w', 'rw'] }],
  ['backend', { takes: 'the name or domid of a driver domain' }],
  ['backendtype', { values: ['phy', 'qdisk', 'tap', 'standalone'] }],
  ['specification', { values: ['xen', 'virtio'] }],
  ['script', { takes: 'the name of a hotplug script' }],
  ['colo-host', { takes: "the secondary host's address" }],
  ['colo-port', { takes: 'a port from 1 to 65535' }],
  ['colo-export', { takes: 'the name of an NBD export' }],
  ['active-disk', { takes: 'a path' }],
  ['hidden-disk', { takes: 'a path' }],
  ['grant_usage', { values: ['0', '1'] }],
  ['target', { takes: 'a path, last in the spec' }],
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

/** The deprecated prefixes that libxlutil knows. */
export const diskPrefixes = [
  ...['raw', 'qcow', 'qcow2', 'vhd', 'iscsi', 'nbd', 'enbd', 'drbd'],
  ...['tap', 'tap2', 'tapdisk', 'aio', 'ioemu', 'file', 'phy'],
] as const
