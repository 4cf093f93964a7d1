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
  const spec = canonicalSpec(disk)
  const reread = readSpec(spec)
  for (const field of Object.keys(blankDisk()) as (keyof DeviceDisk)[]) {
    const value = disk[field]
    if (reread?.[field] !== value || (typeof value === 'string' && value.includes('\0')))
      throw new DiskFormatError(field, value)
  }
  return spec
}

function canonicalSpec(disk: DeviceDisk): string {
  const { pdevPath } = disk
  // A positional target is the only one that may hold a line end.
  const positional = pdevPath?.includes('\n') ?? false
  return [
    positional ? pdevPath : '',
    disk.format === 'unknown' ? '' : `format=${disk.format}`,
    setting('vdev', disk.vdev),
    disk.isCdrom ? 'devtype=cdrom' : `access=${disk.readwrite ? 'rw' : 'ro'}`,
    setting('backend', disk.backendDomname),
    disk.backend === 'unknown' ? '' : `backendtype=${disk.backend}`,
    disk.specification === 'unknown' ? '' : `specification=${disk.specification}`,
    setting('script', disk.script),
    disk.directIoSafe ? 'direct-io-safe' : '',
    flag('discard', disk.discardEnable, 'no-'),
    flag('colo', disk.coloEnable, 'no-'),
    setting('colo-host', disk.coloHost),
    disk.coloPort === 0 ? '' : `colo-port=${disk.coloPort}`,
    setting('colo-export', disk.coloExport),
    setting('active-disk', disk.activeDisk),
    setting('hidden-disk', disk.hiddenDisk),
    flag('trusted', disk.trusted, 'un'),
    disk.grantUsage === undefined ? '' : `grant_usage=${disk.grantUsage ? 1 : 0}`,
    pdevPath === undefined || positional ? '' : `target=${pdevPath}${pdevPath.endsWith(',') ? ',' : ''}`,
  ]
    .filter(part => part !== '')
    .join(',')
}

const setting = (key: string, value: string | undefined): string => (value === undefined ? '' : `${key}=${value}`)

const flag = (name: string, value: boolean | undefined, negation: string): string =>
  value === undefined ? '' : value ? name : `${negation}${name}`

/** The record that a spec gives, undefined where it is refused. */
function readSpec(spec: string): DeviceDisk | undefined {
  const reader = new DiskReader(false)
  if (!reader.read(0, parse(spec))) return reader.disk
  reader.finish(0)
  return reader.disk
}
