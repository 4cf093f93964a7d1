import { blankDisk } from '../libxl/blank-disk.js'
import type { DeviceDisk } from '../libxl/device-disk.js'
import { parse } from './disk-grammar.js'
import { DiskReader } from './disk-reader.js'

/** A record that no spec gives. */
export class DiskFormatError extends Error {
  override readonly name = 'DiskFormatError'
  /** The field that cannot be expressed. */
  readonly field: keyof DeviceDisk

  constructor(field: keyof DeviceDisk, value: unknown) {
    super(`no disk spec gives ${field} ${value === undefined ? 'no value' : `the value ${JSON.stringify(value)}`} here`)
    this.field = field
  }
}

/**
 * The canonical spec of a record: every parameter by its name, the target last. `parseDisk` of it gives the record back.
 *
 * @throws {DiskFormatError} naming the field, where no spec gives such a record: a comma in any string but the target,
 *   a disk without a vdev, a writable cdrom, what only a toolstack sets (backendDomid, coloRestoreEnable, irq …)
 */
export function formatDisk(disk: DeviceDisk): string {
  for (const field of fields) {
    const value = disk[field]
    if (typeof value === 'string' && impossible(field, value)) throw new DiskFormatError(field, value)
  }
  const spec = canonicalSpec(disk)
  const reader = new DiskReader(false)
  reader.read(0, parse(spec))
  reader.finish(0)
  const refused = reader.refusals[0]?.field
  const differs = refused ?? fields.find(field => reader.disk[field] !== disk[field])
  if (differs) throw new DiskFormatError(differs, disk[differs])
  return spec
}

/** Text that would end early, and leave its rest to be read as something else. */
const impossible = (field: keyof DeviceDisk, value: string): boolean =>
  value.includes('\0') || (field === 'pdevPath' ? value.includes('\n') && /[=,]/.test(value) : value.includes(','))

const fields = Object.keys(blankDisk()) as (keyof DeviceDisk)[]

/** The spec alone, for a record that a spec gave. */
export function canonicalSpec(disk: DeviceDisk): string {
  const { pdevPath } = disk
  // A positional target is the only one that may hold a line end.
  const positional = pdevPath?.includes('\n') ?? false
  // The access or devtype is always there: what is before it ends with a comma, what is behind it begins with one.
  return (
    (positional ? `${pdevPath},` : '') +
    (disk.format === 'unknown' ? '' : `format=${disk.format},`) +
    (disk.vdev === undefined ? '' : `vdev=${disk.vdev},`) +
    (disk.isCdrom ? 'devtype=cdrom' : disk.readwrite ? 'access=rw' : 'access=ro') +
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
  )
}

const setting = (key: string, value: string | undefined): string => (value === undefined ? '' : `,${key}=${value}`)

const flag = (name: string, value: boolean | undefined, negation: string): string =>
  value === undefined ? '' : value ? `,${name}` : `,${negation}${name}`
