import type { Random } from '../../support/random.js'

/** Whether a process can have opened a file, or a socket, of a name. */
export type Fate = 'opened' | 'cannot exist' | 'refused'

/** A name as a tenant might write it: the words it is made of, and whether it stands below the disk's folder or alone. */
export interface HostileName {
  words: readonly string[]
  relative: boolean
}

/** What a name may try to be: an option, a protocol, a descriptor, or too much for whoever reads it. */
export function hostileName(random: Random, victim: string): HostileName {
  const word = () => hostileWord(random, victim)
  const words = Array.from({ length: 1 + random.int(4) }, word)
  if (random.chance(0.3)) words.unshift(random.pick(protocols))
  if (random.chance(0.3)) words.unshift('g.img')
  if (random.chance(0.2)) words.push(random.pick(separators))
  if (random.chance(0.03)) words.push(longPath(random))
  if (random.chance(0.04)) words.push(random.pick(notText))
  if (random.chance(0.008)) return { words: random.chance(0.3) ? [''] : ['/dev/fdset/0'], relative: true }
  return { words, relative: random.chance(0.4) }
}

/** An id as a tenant might write it; about every second one is an identifier. */
export function hostileExport(random: Random, victim: string): string {
  if (random.chance(0.5)) return random.pick(identifiers) + (random.chance(0.5) ? `-${random.int(1000)}` : '')
  return random.pick(identifiers) + hostileWord(random, victim) + random.pick(notIdentifiers)
}

function hostileWord(random: Random, victim: string): string {
  switch (random.int(6)) {
    case 0:
      return random.pick(separators)
    case 1:
    case 2:
      return random.pick(separators) + random.pick(options).replace('VICTIM', victim)
    case 3:
      return random.pick(protocols) + (random.chance(0.5) ? victim : random.pick(afterProtocol))
    case 4:
      return random.pick(oddities)
    default:
      return Array.from({ length: 1 + random.int(8) }, () => random.pick(characters)).join('')
  }
}

const separators = [
  ',',
  ',',
  ',,',
  ',,,',
  ',,,,',
  ', ',
  ' ,',
  '=',
  ':',
  ';',
  '&',
  '\\,',
  '",',
  "',",
  '%2C',
  '%2c',
  '\n,',
]

const driveOptions = ['snapshot=on', 'if=none', 'if=virtio', 'if=floppy', 'readonly=on', 'read-only=on', 'ro']
const caches = [
  'cache=unsafe',
  'cache=none',
  'cache.direct=on',
  'cache.no-flush=on',
  'cache=writethrough',
  'aio=native',
]
const limits = ['throttling.iops-total=1', 'throttling.bps-total=1', 'iops=1', 'werror=ignore', 'rerror=ignore']
const others = ['detect-zeroes=unmap', 'discard=unmap', 'copy-on-read=on', 'media=cdrom', 'index=3', 'unit=6', 'b.img']
const identities = ['id=x', 'node-name=x', 'driver=raw', 'format=raw', 'format=qcow2', 'driver=null-co', 'driver=vvfat']
const files = ['file=VICTIM', 'file.filename=VICTIM', 'file.driver=file', 'filename=VICTIM', 'filename=/dev/fdset/0']
const locks = ['file.locking=off', 'locking=off', 'children.0.file.locking=off', 'force-share=on']
const children = [
  'children.0.file.filename=VICTIM',
  'children.1.driver=raw,children.1.file.filename=VICTIM',
  'children.1.file.filename=VICTIM',
  'vote-threshold=2',
  'read-pattern=quorum',
  'rewrite-corrupted=on',
]
const backing = [
  'backing.file.filename=VICTIM',
  'backing.driver=raw,backing.file.filename=VICTIM',
  'backing=x',
  'file.file.filename=VICTIM',
  'file.backing.file.filename=VICTIM',
  'file.backing.backing=null',
  'top-id=x',
  'mode=primary',
]
const options = [
  ...[...driveOptions, ...caches, ...limits, ...others, ...identities],
  ...[...files, ...locks, ...children, ...backing],
]

const protocols = [
  ...['nbd:', 'nbd+unix:', 'nbd://', 'json:', 'json:{', 'fat:', 'fat:rw:', 'file:', 'host_device:', 'host_cdrom:'],
  ...['http://', 'https://', 'ftp://', 'ssh:', 'ssh://', 'vvfat:', 'blkdebug:', 'blkverify:', 'rbd:', 'raw:', 'iscsi:'],
  ...['gluster://', 'sheepdog:', 'nfs://', 'null-co:', 'quorum:', 'nvme://', 'fd:', 'unix:', 'exec:', 'tcp:', 'a:'],
]
const afterProtocol = [
  '127.0.0.1:10809',
  '127.0.0.1:10809:exportname=e',
  'unix:/s:exportname=e',
  '///?socket=/s',
  '"file.filename":"/f"}',
  '{"driver":"null-co"}',
  ':/f',
  '//',
]

const oddities = [
  ...['/dev/fdset/0', 'dev/fdset/0', '/proc', '%', '%00', '%s', '%n', '?x=1', '#frag', '&socket=/s', ';socket=/s', '+'],
  ...[
    '"',
    "'",
    '`',
    '\\',
    '\\\\',
    '\\x2c',
    '\n',
    '\r\n',
    '\t',
    '\x01',
    '\x1b[2J',
    '\x7f',
    ' ',
    '  ',
    '$HOME',
    '~',
    '*',
  ],
  ...[
    '-drive',
    '--',
    '-',
    '@',
    '(null)',
    'null',
    'é',
    '日本',
    '😀',
    '\u200b',
    '\u202e',
    '\ufeff',
    '\ufffd',
    '{}',
    '[]',
  ],
  ...['\ufffe', '\uffff', '\ufdd0', '\u{1fffe}', '\u{10ffff}', '\u2028', '\u0085', '<>', '|', '!', '^', 'x='],
]
const characters = [...',,,,==:;&?#%+/ab01.-_ "\'\\{}[]\n\té😀']

/** Bytes that are not UTF-8 stand as lone surrogates. */
const notText = ['\0', '\0,readonly=on', '\udcff', '\udc80,file=/x', '\ud800', 'a\udfff', '\udc2c']

/** The longest names that there are, and some that are longer. */
function longPath(random: Random): string {
  const component = random.pick(['x', ',', 'é']).repeat(random.pick([100, 120, 127, 200, 255, 256]))
  return `/${Array.from({ length: random.pick([1, 1, 2, 14, 40]) }, () => component).join('/')}/f`
}

const identifiers = [
  'e',
  'colo-disk0',
  'top-colo',
  'hda',
  'file',
  'children.0',
  'X_y-z.9',
  'raw',
  'null',
  'n'.repeat(100),
]
const notIdentifiers = ['', ',readonly=on', ',snapshot=on', ' x', '/', ':', '=', '\n', 'é', '\0', '\udcff', '(null)']
