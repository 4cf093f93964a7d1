import fc from 'fast-check'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import type { BlockdevOptions } from 'xenlight/dm-args'
import { anyDisk } from '../../support/arbitrary-disk.js'

/** A disk as libxl resolves it for a guest that is being created, with a plain file for a target. */
export const resolved = (spec: string): ResolvedDisk =>
  resolveDisk(parseDisk(spec), { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => 7, create: true })

/** A COLO disk. */
export const colo = (rest: string, exported = 'colo-disk0'): ResolvedDisk =>
  resolved(
    `colo,colo-host=192.0.2.7,colo-port=9999,colo-export=${exported},active-disk=/active,hidden-disk=/hidden,${rest}`,
  )

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        ']',
        '#',
        ';',
        '<',
        '-->',
        '%%{',
        '`',
        '&quot;',
        ',',
        '/',
        ':',
        '\ufffe',
        '\u2028',
      ),
    )
    .map(pieces => pieces.join('')),
)
const letter = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'h', 'i', '')
const vdev = fc
  .tuple(fc.constantFrom('hd', 'xvd', 'sd'), letter, fc.constantFrom('', '', '', '1'))
  .map(parts => parts.join(''))
const exported = fc.oneof(
  fc.stringMatching(/^[A-Za-z][-A-Za-z0-9._]{0,33}$/),
  fc.constantFrom(
    'top-colo',
    'top-colo-active',
    'top-colo1',
    'ide0-hd0',
    'ide0-hd0-file',
    'ide0-hd0-file-1',
    'scsi0-hd0',
  ),
  text,
)
const isColo = { coloEnable: true, backend: 'qdisk', format: 'raw', readwrite: true, isCdrom: false } as const

/** Any record that calls itself resolved; many are such that QEMU can have them. */
const anyResolved: fc.Arbitrary<ResolvedDisk> = fc
  .tuple(
    anyDisk,
    fc.record({
      vdev: fc.oneof({ weight: 9, arbitrary: vdev }, { weight: 1, arbitrary: text }),
      backend: fc.constantFrom('phy', 'qdisk', 'tap', 'standalone'),
      format: fc.constantFrom('raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty'),
      discardEnable: fc.boolean(),
      coloEnable: fc.constant(false),
      coloRestoreEnable: fc.boolean(),
      trusted: fc.boolean(),
      pdevPath: text,
      activeDisk: text,
      hiddenDisk: text,
      readwrite: fc.constantFrom(true, true, true, false),
      isCdrom: fc.constantFrom(false, false, false, true),
      script: fc.constant(undefined),
      backendDomname: fc.constant(undefined),
    } as const),
    fc.option(
      fc.record({
        coloExport: exported,
        coloHost: text,
        coloPort: fc.constantFrom(9999, 0),
      }),
      { nil: undefined },
    ),
  )
  .map(([disk, fields, replicated]) => ({ ...disk, ...fields, ...(replicated && { ...isColo, ...replicated }) }))

export const anyDisks = fc.array(anyResolved, { maxLength: 6 })

export const anyOptions: fc.Arbitrary<BlockdevOptions> = fc.record({
  domainType: fc.constantFrom('hvm', 'hvm', 'hvm', 'pv', 'pvh'),
  hdtype: fc.constantFrom('ide', 'ide', 'ahci', undefined),
  coloRestore: fc.boolean(),
  stubdom: fc.constantFrom(false, false, false, true),
  physicalDevicePath: fc.option(text, { nil: undefined }),
  targetOf: fc.constantFrom(
    undefined,
    () => 'file',
    () => 'block',
  ),
} as const)
