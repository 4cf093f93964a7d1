import { checkArray, checkFlag, checkInteger, checkOptionalText, checkWord, wrongType } from '../check-argument.js'
import type { DeviceDisk } from './device-disk.js'
import { diskBackends, diskFormats, diskSpecifications, diskTransports } from './disk-words.js'

type Check = (name: string, value: unknown) => void

const integer =
  (min: number, max: number): Check =>
  (name, value) =>
    checkInteger(name, value, min, max)
const word =
  (words: readonly string[]): Check =>
  (name, value) =>
    checkWord(name, value, words)
const flag: Check = (name, value) => {
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value)
}
const uint32 = integer(0, 0xffffffff)

/** What every record has. */
const always = {
  backendDomid: uint32,
  backend: word(diskBackends),
  format: word(diskFormats),
  removable: flag,
  readwrite: flag,
  isCdrom: flag,
  directIoSafe: flag,
  specification: word(diskSpecifications),
  transport: word(diskTransports),
  irq: uint32,
  base: integer(0, Number.MAX_SAFE_INTEGER),
  coloPort: integer(-0x80000000, 0x7fffffff),
} as const satisfies { [Field in keyof DeviceDisk]?: Check }

/** What is absent where libxl has NULL or "default". */
const optional = {
  backendDomname: checkOptionalText,
  pdevPath: checkOptionalText,
  vdev: checkOptionalText,
  script: checkOptionalText,
  discardEnable: checkFlag,
  coloEnable: checkFlag,
  coloRestoreEnable: checkFlag,
  coloHost: checkOptionalText,
  coloExport: checkOptionalText,
  activeDisk: checkOptionalText,
  hiddenDisk: checkOptionalText,
  trusted: checkFlag,
  grantUsage: checkFlag,
} as const satisfies Required<Record<Exclude<keyof DeviceDisk, keyof typeof always>, Check>>

type Checks = readonly (readonly [field: keyof DeviceDisk, check: Check])[]
const needed = Object.entries(always) as unknown as Checks
const possible = Object.entries(optional) as unknown as Checks

/**
 * For callers without types: a spec or a few members are no record, and `trusted: 'no'` would count as yes. Which values
 * make sense together is not looked at.
 *
 * @throws TypeError, RangeError naming the field
 */
export function checkDisk(disk: unknown, name = 'disk'): asserts disk is DeviceDisk {
  const record = recordOf(disk, name)
  for (const [field, check] of needed) {
    const value = record[field]
    if (value === undefined) throw wrongType(`${name}.${field}`, `set: ${howToMakeOne}`, value)
    check(`${name}.${field}`, value)
  }
  for (const [field, check] of possible) check(`${name}.${field}`, record[field])
}

/** The same for a record that may lack any field. */
export function checkMembers(disk: unknown, name = 'disk'): void {
  const record = recordOf(disk, name)
  for (const [field, check] of needed) if (record[field] !== undefined) check(`${name}.${field}`, record[field])
  for (const [field, check] of possible) check(`${name}.${field}`, record[field])
}

/** @throws TypeError, RangeError naming the index and the field */
export function checkDisks(disks: unknown, name = 'disks'): asserts disks is readonly DeviceDisk[] {
  checkArray(name, disks, 'records')
  for (const [index, disk] of (disks as readonly unknown[]).entries()) checkDisk(disk, `${name}[${index}]`)
}

function recordOf(disk: unknown, name: string): Partial<Record<keyof DeviceDisk, unknown>> {
  if (typeof disk !== 'object' || disk === null || Array.isArray(disk))
    throw wrongType(name, `a record: ${howToMakeOne}`, disk)
  return disk
}

const howToMakeOne = 'parseDisk makes a whole record of a spec, fromLibxlJson of some members'
