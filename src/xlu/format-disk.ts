import { blankDisk } from '../libxl/blank-disk.js'
import { checkDisk } from '../libxl/check-disk.js'
import type { DeviceDisk } from '../libxl/device-disk.js'
import { XenlightError } from '../xenlight-error.js'
import type { DiskFormatErrorCode } from './diagnostic-code.js'
import { parse } from './disk-grammar.js'
import { DiskReader } from './disk-reader.js'

/** A record that no spec gives. */
export class DiskFormatError extends XenlightError {
  override readonly name = 'DiskFormatError'
  readonly code: DiskFormatErrorCode
  /** The field that cannot be expressed. */
  readonly field: keyof DeviceDisk

  constructor(code: DiskFormatErrorCode, field: keyof DeviceDisk, value: unknown) {
    super(`no disk spec gives ${field} ${value === undefined ? 'no value' : `the value ${JSON.stringify(value)}`} here`)
    this.code = code
    this.field = field
  }
}

/**
 * The canonical spec of a record: every parameter by its name, the target last. `parseDisk` of it gives the record back, but
 * for `backendDomid`: a spec has the name of a backend's domain or its number, as `backendDomname`. As in libxl the name
 * counts where the record has one; without it the number is written, and resolves to the same domain.
 *
 * @throws {DiskFormatError} naming the field, where no spec gives such a record: a comma in any string but the target,
 *   a disk without a vdev, a writable cdrom, what only a toolstack sets (coloRestoreEnable, irq …)
 * @throws {TypeError} or {RangeError} for what is no whole record
 */
export function formatDisk(disk: DeviceDisk): string {
  checkDisk(disk)
  for (const field of fields) {
    const value = disk[field]
    if (typeof value === 'string' && impossible(field, value))
      throw new DiskFormatError('unwritable-text', field, value)
  }
  const { backendDomid, backendDomname = backendDomid === 0 ? undefined : String(backendDomid) } = disk
  const written: DeviceDisk = { ...disk, backendDomid: 0, backendDomname }
  const spec = canonicalSpec(written)
  const reader = new DiskReader(false)
  reader.read(0, parse(spec))
  reader.finish(0)
  const refused = reader.refusals[0]?.field
  const differs = refused ?? fields.find(field => reader.disk[field] !== written[field])
  if (differs) throw new DiskFormatError(codeFor(differs), differs, disk[differs])
  return spec
}

const withoutKey: ReadonlySet<keyof DeviceDisk> = new Set([
  'transport',
  'irq',
  'base',
  'coloRestoreEnable',
  'removable',
])

const codeFor = (field: keyof DeviceDisk): DiskFormatErrorCode =>
  withoutKey.has(field) ? 'unwritable-field' : 'unwritable-value'

/** Text that would end early, and leave its rest to be read as something else. */
const impossible = (field: keyof DeviceDisk, value: string): boolean =>
  value.includes('\0') || (field === 'pdevPath' ? value.includes('\n') && /[=,]/.test(value) : value.includes(','))

const fields = Object.keys(blankDisk()) as (keyof DeviceDisk)[]

/** The spec alone, for a record that a spec gave. */
export function canonicalSpec(disk: DeviceDisk): string {
  const { pdevPath } = disk
  // A positional target is the only one that may hold a line end.
  const positional = pdevPath?.includes('\n') ?? false
  const spec =
    (positional ? `,${pdevPath}` : '') +
    (disk.format === 'unknown' ? '' : `,format=${disk.format}`) +
    setting('vdev', disk.vdev) +
    (disk.isCdrom ? ',devtype=cdrom' : disk.readwrite ? ',access=rw' : ',access=ro') +
    setting('backend', disk.backendDomname) +
    (disk.backend === 'unknown' ? '' : `,backendtype=${disk.backend}`) +
    (disk.specification === 'unknown' ? '' : `,specification=${disk.specification}`) +
    setting('script', disk.script) +
    (disk.directIoSafe ? ',direct-io-safe' : '') +
    flag('discard', disk.discardEnable, 'no-') +
    flag('colo', disk.coloEnable, 'no-') +
    setting('colo-host', disk.coloHost) +
    (disk.coloPort === 0 ? '' : `,colo-port=${disk.coloPort}`) +
    setting('colo-export', disk.coloExport) +
    setting('active-disk', disk.activeDisk) +
    setting('hidden-disk', disk.hiddenDisk) +
    flag('trusted', disk.trusted, 'un') +
    (disk.grantUsage === undefined ? '' : `,grant_usage=${disk.grantUsage ? 1 : 0}`) +
    (pdevPath === undefined || positional ? '' : `,target=${pdevPath}${pdevPath.endsWith(',') ? ',' : ''}`)
  return spec.slice(1)
}

const setting = (key: string, value: string | undefined): string => (value === undefined ? '' : `,${key}=${value}`)

const flag = (name: string, value: boolean | undefined, negation: string): string =>
  value === undefined ? '' : value ? `,${name}` : `,${negation}${name}`
