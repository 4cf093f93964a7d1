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

const signs = ['"', '\\', '\n', ']', '#', ';', '<', '-->', '%%{', '`', '&quot;', ',', '/', ':', '\u2028', '\u007f', 'x']
const argument = fc.array(fc.oneof(fc.constantFrom(...signs), fc.string())).map(pieces => pieces.join(''))
const impossible = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\udc80', '\ufffe', '\u{10ffff}'))
/** Mostly what can be passed to a process. */
const text = fc.oneof({ weight: 19, arbitrary: argument }, { weight: 1, arbitrary: impossible })
const letter = fc.constantFrom(...'abcd'.repeat(6), 'f', 'h', 'i', '')
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
const often = (value: boolean) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constant(!value) })
const isColo = { coloEnable: true, backend: 'qdisk', format: 'raw', readwrite: true, isCdrom: false } as const

/** Any record that calls itself resolved; many are such that QEMU can have them. */
const anyResolved: fc.Arbitrary<ResolvedDisk> = fc
  .tuple(
    anyDisk,
    fc.record({
      vdev: fc.oneof({ weight: 19, arbitrary: vdev }, { weight: 1, arbitrary: text }),
      backend: fc.constantFrom('qdisk', 'qdisk', 'qdisk', 'phy', 'tap', 'standalone'),
      format: fc.constantFrom('raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty'),
      discardEnable: fc.boolean(),
      coloEnable: fc.constant(false),
      coloRestoreEnable: fc.boolean(),
      trusted: fc.boolean(),
      pdevPath: text,
      activeDisk: text,
      hiddenDisk: text,
      readwrite: often(true),
      isCdrom: often(false),
      script: fc.constant(undefined),
      backendDomname: fc.constant(undefined),
    } as const),
    fc.option(
      fc.record({
        coloExport: exported,
        coloHost: text,
        coloPort: fc.constantFrom(9999, 10809),
      }),
      { nil: undefined, freq: 2 },
    ),
  )
  .map(([disk, fields, replicated]) => ({ ...disk, ...fields, ...(replicated && { ...isColo, ...replicated }) }))

export const anyDisks = fc.array(anyResolved, { minLength: 1, maxLength: 4 })

export const anyOptions: fc.Arbitrary<BlockdevOptions> = fc.record({
  domainType: fc.constantFrom<BlockdevOptions['domainType'][]>(...Array(8).fill('hvm'), 'pv', 'pvh'),
  hdtype: fc.constantFrom<BlockdevOptions['hdtype'][]>('ide', 'ide', 'ide', 'ahci', undefined),
  coloRestore: fc.boolean(),
  stubdom: often(false),
  physicalDevicePath: fc.option(text, { nil: undefined, freq: 9 }),
  targetOf: fc.constantFrom(
    undefined,
    () => 'file' as const,
    () => 'block' as const,
  ),
})
