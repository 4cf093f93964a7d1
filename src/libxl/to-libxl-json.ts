import { blankDisk } from './blank-disk.js'
import { checkMembers } from './check-disk.js'
import type { DeviceDisk } from './device-disk.js'

/**
 * A record as `libxl_device_disk_to_json` writes it when built with yajl: four blanks, keys in libxl's order, nothing
 * that has its initial value, a newline at the end. Default booleans are the words "True" and "False", flags the
 * number 1. A lone surrogate (a byte that is not UTF-8, see `encodeText`) is passed on as it is, as libxl passes the byte.
 * A field that is absent has its initial value.
 *
 * @throws TypeError, RangeError for what is no record, or a field that is not of its type
 */
export function toLibxlJson(disk: DeviceDisk): string {
  checkMembers(disk)
  return `{${members(disk, spacious).slice(1) || '\n'}\n}\n`
}

/** The same object without the white space, of a record that one of our readers made. */
export const toCompactLibxlJson = (disk: DeviceDisk): string => `{${members(disk, compact).slice(1)}}`

type Keys = Readonly<Record<keyof DeviceDisk, string>>

/** What stands in front of each value: a comma, libxl's name of the field, a colon. */
const keysWith = (comma: string, colon: string): Keys =>
  Object.fromEntries(
    Object.keys(blankDisk()).map(field => [
      field,
      `${comma}"${field.replace(/[A-Z]/g, capital => `_${capital.toLowerCase()}`)}"${colon}`,
    ]),
  ) as Keys

const spacious = keysWith(',\n    ', ': ')
const compact = keysWith(',', ':')

function members(disk: DeviceDisk, keys: Keys): string {
  return (
    number(keys.backendDomid, disk.backendDomid) +
    string(keys.backendDomname, disk.backendDomname) +
    string(keys.pdevPath, disk.pdevPath) +
    string(keys.vdev, disk.vdev) +
    word(keys.backend, disk.backend) +
    word(keys.format, disk.format) +
    string(keys.script, disk.script) +
    flag(keys.removable, disk.removable) +
    flag(keys.readwrite, disk.readwrite) +
    flag(keys.isCdrom, disk.isCdrom) +
    (disk.directIoSafe ? `${keys.directIoSafe}true` : '') +
    defbool(keys.discardEnable, disk.discardEnable) +
    word(keys.specification, disk.specification) +
    word(keys.transport, disk.transport) +
    number(keys.irq, disk.irq) +
    number(keys.base, disk.base) +
    defbool(keys.coloEnable, disk.coloEnable) +
    defbool(keys.coloRestoreEnable, disk.coloRestoreEnable) +
    string(keys.coloHost, disk.coloHost) +
    number(keys.coloPort, disk.coloPort) +
    string(keys.coloExport, disk.coloExport) +
    string(keys.activeDisk, disk.activeDisk) +
    string(keys.hiddenDisk, disk.hiddenDisk) +
    defbool(keys.trusted, disk.trusted) +
    defbool(keys.grantUsage, disk.grantUsage)
  )
}

// a record of a caller without types may lack fields
const number = (key: string, value: number | undefined): string => (value ? key + value : '')

const flag = (key: string, value: boolean): string => (value ? `${key}1` : '')

const word = (key: string, value: string | undefined): string =>
  value && value !== 'unknown' ? `${key}"${value}"` : ''

const defbool = (key: string, value: boolean | undefined): string =>
  value === undefined ? '' : key + (value ? '"True"' : '"False"')

const string = (key: string, value: string | undefined): string => {
  if (value === undefined) return ''
  return special.test(value) ? `${key}"${value.replace(specials, escapeCharacter)}"` : `${key}"${value}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: yajl escapes them
const special = /["\\\0-\x1f]/
const specials = new RegExp(special, 'g')

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

const escapeCharacter = (character: string): string =>
  short[character] ?? `\\u00${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
