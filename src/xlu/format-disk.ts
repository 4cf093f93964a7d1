import { blankDisk } from '../libxl/blank-disk.js'
import { checkDisk } from '../libxl/check-disk.js'
import type { DeviceDisk } from '../libxl/device-disk.js'
import { XenlightError } from '../xenlight-error.js'
import type { DiskFormatErrorCode } from './diagnostic-code.js'
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
  reader.read(0, spec)
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
  const positional = pdevPath !== undefined && pdevPath.indexOf('\n') >= 0
  // Only what is given is added: to add an empty string takes V8 a call too.
  let spec = positional ? `${pdevPath},` : ''
  if (disk.format !== 'unknown') spec += `format=${disk.format},`
  if (disk.vdev !== undefined) spec += `vdev=${disk.vdev},`
  spec += disk.isCdrom ? 'devtype=cdrom' : disk.readwrite ? 'access=rw' : 'access=ro'
  if (disk.backendDomname !== undefined) spec += `,backend=${disk.backendDomname}`
  if (disk.backend !== 'unknown') spec += `,backendtype=${disk.backend}`
  if (disk.specification !== 'unknown') spec += `,specification=${disk.specification}`
  if (disk.script !== undefined) spec += `,script=${disk.script}`
  if (disk.directIoSafe) spec += ',direct-io-safe'
  if (disk.discardEnable !== undefined) spec += disk.discardEnable ? ',discard' : ',no-discard'
  if (disk.coloEnable !== undefined) spec += disk.coloEnable ? ',colo' : ',no-colo'
  if (disk.coloHost !== undefined) spec += `,colo-host=${disk.coloHost}`
  if (disk.coloPort !== 0) spec += `,colo-port=${disk.coloPort}`
  if (disk.coloExport !== undefined) spec += `,colo-export=${disk.coloExport}`
  if (disk.activeDisk !== undefined) spec += `,active-disk=${disk.activeDisk}`
  if (disk.hiddenDisk !== undefined) spec += `,hidden-disk=${disk.hiddenDisk}`
  if (disk.trusted !== undefined) spec += disk.trusted ? ',trusted' : ',untrusted'
  if (disk.grantUsage !== undefined) spec += `,grant_usage=${disk.grantUsage ? 1 : 0}`
  if (pdevPath !== undefined && !positional) spec += `,target=${pdevPath}${pdevPath.endsWith(',') ? ',' : ''}`
  return spec
}
