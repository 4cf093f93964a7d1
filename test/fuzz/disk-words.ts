/** What disk specs are made of. A character is a byte. */
const bytes = (text: string) => Buffer.from(text).toString('latin1')

/** Values for each key: those that libxl takes, and others. */
export const values: Record<string, { good: readonly string[]; bad: readonly string[] }> = {
  format: { good: ['raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty', ''], bad: ['QCOW2', 'raw ', 'vmdk'] },
  devtype: { good: ['disk', 'cdrom'], bad: ['', 'cdromx', 'floppy'] },
  access: { good: ['r', 'ro', 'w', 'rw', ''], bad: ['x', 'w ', 'RW'] },
  backend: { good: ['dom0', '0', 'driver-domain', 'a:b'], bad: [''] },
  backendtype: { good: ['phy', 'tap', 'qdisk', 'standalone'], bad: ['', 'qemu'] },
  specification: { good: ['xen', 'virtio'], bad: ['', 'nvme'] },
  vdev: { good: ['xvda', 'hda', 'sda1', 'd0p1', 'hdc:cdrom'], bad: ['', ' '] },
  script: { good: ['block-iscsi', '/etc/xen/scripts/block'], bad: [''] },
  'colo-host': { good: ['192.168.0.1', '::1', 'primary'], bad: [''] },
  'colo-export': { good: ['qdisk1', 'disk 0'], bad: [''] },
  'active-disk': { good: ['/mnt/ramfs/active_disk.img'], bad: [''] },
  'hidden-disk': { good: ['/mnt/ramfs/hidden_disk.img'], bad: [''] },
}

/** What atoi makes of a port, at and over its edges. */
export const coloPorts = [
  ...[
    '9000',
    '1',
    '0',
    '-1',
    '+5',
    ' 7',
    '\t8',
    '\n9',
    '\v9',
    '\r9',
    '12abc',
    'abc',
    '',
    '0x10',
    '007',
    '--1',
    '+ 1',
    '- 1',
  ],
  ...[
    '65535',
    '65536',
    '2147483647',
    '2147483648',
    '-2147483648',
    '-2147483649',
    '4294967295',
    '4294967296',
    '4294967297',
  ],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
  ...['18446744073709551616', '99999999999999999999999', '-99999999999999999999999', `${'0'.repeat(60)}12`],
]

export const flags = ['cdrom', 'direct-io-safe', 'discard', 'no-discard', 'colo', 'no-colo']

/** Read otherwise by Debian's libxlutil 4.17, whose scanner was never generated again. */
export const masterOnlyParameters = [
  'trusted',
  'untrusted',
  'grant_usage=0',
  'grant_usage=1',
  'grant_usage=2',
  'grant_usage=',
]

export const prefixes = [
  ...['raw:', 'qcow:', 'qcow2:', 'vhd:', 'iscsi:', 'nbd:', 'enbd:', 'drbd:'],
  ...['tap:', 'tap2:', 'tapdisk:', 'aio:', 'ioemu:', 'file:', 'phy:'],
]

/** What looks like a deprecated prefix. */
export const strangePrefixes = ['qed:', 'empty:', 'http:', 'x0:', 'tap3:', 'RAW:', 'nbd2:', 'e:']

export const targets = [
  ...['/dev/vg/guest-volume', '/root/image.iso', '/x', 'app01', 'rbd/image@snap', 'a', '', ' /x', 'C:\\disk'],
  ...['iqn.2001-05.com.equallogic:0-8a0906-examplehost', '//server/share', 'x:y', '"quoted"', "it's", '%s%n'],
  ...[bytes('/srv/Müller.img'), bytes('/images/€/🐧.raw'), '/caf\xe9.img'],
]

export const vdevs = ['hda', 'hdc', 'sda', 'xvda', 'xvdb3', 'd1p2', 'vda', '5632', '0x301', bytes('xvdä')]

/** Positional vdevs that say the type of the device too. */
export const vdevsWithType = ['hdc:cdrom', 'hda:disk', 'a:b:cdrom', ':cdrom', 'hdb:', 'hdb:foo', 'hdb:CDROM']

/** Where a name is looked for: known keys, near misses, unknown ones. */
export const names = [
  ...[
    'format',
    'devtype',
    'access',
    'backend',
    'backendtype',
    'specification',
    'vdev',
    'script',
    'target',
    'colo-host',
  ],
  ...[
    'colo-port',
    'colo-export',
    'active-disk',
    'hidden-disk',
    'foo',
    'x',
    'f0-o',
    'FOO',
    'Vdev',
    'foo_x',
    '-a',
    '9a',
    'formatt',
  ],
  ...['targe', 'cdrom', 'discard', 'colo', 'colo_port', 'direct-io-safe', 'type', 'raw', bytes('é')],
]

/** Whole UTF-8 characters, cut ones, and bytes that no UTF-8 has. */
export const strangeBytes = [
  ...[
    bytes('é'),
    bytes('€'),
    bytes('🐧'),
    '\xc3',
    '\x80',
    '\xbf',
    '\xff',
    '\xfe',
    '\xed\xa0\x80',
    '\xe2\x82',
    '\xf4\x90\x80\x80',
  ],
  ...['\x01', '\x1b', '\x7f', '\r', '\v', '\f', '\xa0', '\x85'],
]
