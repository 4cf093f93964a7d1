import { checkFlag, checkOptions, checkText } from '../check-argument.js'
import { blankDisk } from './blank-disk.js'
import type { DeviceDisk } from './device-disk.js'
import { DiskJsonError } from './disk-json-error.js'
import { diskBackends, diskFormats, diskSpecifications, diskTransports, findWord } from './disk-words.js'
import { type JsonValue, jsonMembers } from './json-members.js'

export interface FromLibxlJsonOptions {
  /** Take another JSON value than an object, and a whole domain's configuration, for a disk without members, as libxl does. */
  libxlExact?: boolean | undefined
}

/**
 * The record in a JSON text, as `libxl_device_disk_from_json` reads it, in whatever layout (yajl's and json-c's are alike
 * to it). Like libxl it takes no notice of unknown keys, of a known key whose value has another JSON type, of further
 * values for one key, and of what follows the object. A number with an exponent counts up to the exponent ("1e3" is 1).
 * Bytes that are not UTF-8 may stand as lone surrogates.
 *
 * @throws DiskJsonError where the text is not JSON, is no object or a whole domain's configuration, a word or number is outside the field's range, or `base` is 2^53 or more
 * @throws TypeError for what is no text
 */
export function fromLibxlJson(text: string, options: FromLibxlJsonOptions = {}): DeviceDisk {
  checkText('text', text)
  checkOptions(options)
  checkFlag('libxlExact', options.libxlExact)
  const { members, start, isObject } = jsonMembers(text)
  if (!options.libxlExact) {
    if (!isObject) throw new DiskJsonError(text, start, 'this is no JSON object: a disk is written as { "vdev": … }')
    refuseDomain(text, members)
  }
  const disk = blankDisk()
  const fields: Record<string, unknown> = disk
  for (const [key, field, read] of readers) {
    const value = members.get(key)
    if (value === undefined) continue
    const refuse: Refuse = reason => {
      throw new DiskJsonError(text, value.offset, `"${key}" ${reason}`)
    }
    const meant = read(value, refuse)
    if (meant !== undefined) fields[field] = meant
  }
  return disk
}

/** What only a domain's configuration has (`libxl_domain_config`, and around it what `xl list -l` writes). */
const domainKeys = ['c_info', 'b_info', 'disks', 'nics', 'config']

function refuseDomain(text: string, members: ReadonlyMap<string, JsonValue>): void {
  for (const key of domainKeys) {
    const value = members.get(key)
    if (value?.type !== 'nested') continue
    const problem = `this is a whole domain's configuration ("${key}"): take one of its disks`
    throw new DiskJsonError(text, value.offset, problem)
  }
}

type Refuse = (reason: string) => never
/** What a value means for a field; undefined where libxl passes over it. */
type Reader = (value: JsonValue, refuse: Refuse) => DeviceDisk[keyof DeviceDisk]

const string: Reader = value => (value.type === 'string' ? value.text : undefined)

const boolean: Reader = value => (value.type === 'boolean' ? value.value : undefined)

/** libxl compares only the beginning. */
const defbool: Reader = (value, refuse) => {
  if (value.type !== 'string') return undefined
  if (value.text.startsWith('<default>')) return undefined
  if (value.text.startsWith('True')) return true
  if (value.text.startsWith('False')) return false
  return refuse(`is ${JSON.stringify(show(value.text))}, not "True", "False" or "<default>"`)
}

const word =
  (words: readonly string[]): Reader =>
  (value, refuse) => {
    if (value.type !== 'string') return undefined
    const found = findWord(words, value.text)
    return (found as undefined) ?? refuse(`is ${JSON.stringify(show(value.text))}, not one of ${words.join(', ')}`)
  }

const integer =
  (min: number, max: number): ((value: JsonValue, refuse: Refuse) => number | undefined) =>
  (value, refuse) => {
    const read = longLong(value)
    if (read === undefined) return undefined
    return read >= min && read <= max ? Number(read) : refuse(`is ${read}, outside ${min} to ${max}`)
  }

const int = integer(-0x80000000, 0x7fffffff)
const uint32 = integer(0, 0xffffffff)

const flag: Reader = (value, refuse) => {
  const read = int(value, refuse)
  return read === undefined ? undefined : read !== 0
}

/** libxl reads a number of more than 63 bits as none at all; losing an address without a word helps nobody. */
const address: Reader = (value, refuse) =>
  value.type === 'number' && value.text.length > 18 && !/[-.eE]/.test(value.text)
    ? refuse(`is ${show(value.text)}, outside 0 to ${Number.MAX_SAFE_INTEGER}`)
    : integer(0, Number.MAX_SAFE_INTEGER)(value, refuse)

const show = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

/** A number that libxl takes for an integer: without a point, within 64 bits. */
function longLong(value: JsonValue): bigint | undefined {
  if (value.type !== 'number' || value.text.includes('.')) return undefined
  const digits = /^-?[0-9]{1,20}/.exec(value.text)![0]
  const read = BigInt(digits)
  return read === BigInt.asIntN(64, read) ? read : undefined
}

const readers: readonly (readonly [key: string, field: keyof DeviceDisk, read: Reader])[] = [
  ['backend_domid', 'backendDomid', uint32],
  ['backend_domname', 'backendDomname', string],
  ['pdev_path', 'pdevPath', string],
  ['vdev', 'vdev', string],
  ['backend', 'backend', word(diskBackends)],
  ['format', 'format', word(diskFormats)],
  ['script', 'script', string],
  ['removable', 'removable', flag],
  ['readwrite', 'readwrite', flag],
  ['is_cdrom', 'isCdrom', flag],
  ['direct_io_safe', 'directIoSafe', boolean],
  ['discard_enable', 'discardEnable', defbool],
  ['specification', 'specification', word(diskSpecifications)],
  ['transport', 'transport', word(diskTransports)],
  ['irq', 'irq', uint32],
  ['base', 'base', address],
  ['colo_enable', 'coloEnable', defbool],
  ['colo_restore_enable', 'coloRestoreEnable', defbool],
  ['colo_host', 'coloHost', string],
  ['colo_port', 'coloPort', int],
  ['colo_export', 'coloExport', string],
  ['active_disk', 'activeDisk', string],
  ['hidden_disk', 'hiddenDisk', string],
  ['trusted', 'trusted', defbool],
  ['grant_usage', 'grantUsage', defbool],
]
