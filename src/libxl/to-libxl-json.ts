import type { DeviceDisk } from './device-disk.js'

/**
 * A record as `libxl_device_disk_to_json` writes it when built with yajl: four blanks, keys in libxl's order, nothing
 * that has its initial value, a newline at the end. Default booleans are the words "True" and "False", flags the
 * number 1. A lone surrogate (a byte that is not UTF-8, see `encodeText`) is passed on as it is, as libxl passes the byte.
 */
export function toLibxlJson(disk: DeviceDisk): string {
  const fields =
    number(',\n    "backend_domid": ', disk.backendDomid) +
    string(',\n    "backend_domname": ', disk.backendDomname) +
    string(',\n    "pdev_path": ', disk.pdevPath) +
    string(',\n    "vdev": ', disk.vdev) +
    word(',\n    "backend": ', disk.backend) +
    word(',\n    "format": ', disk.format) +
    string(',\n    "script": ', disk.script) +
    flag(',\n    "removable": ', disk.removable) +
    flag(',\n    "readwrite": ', disk.readwrite) +
    flag(',\n    "is_cdrom": ', disk.isCdrom) +
    (disk.directIoSafe ? ',\n    "direct_io_safe": true' : '') +
    defbool(',\n    "discard_enable": ', disk.discardEnable) +
    word(',\n    "specification": ', disk.specification) +
    word(',\n    "transport": ', disk.transport) +
    number(',\n    "irq": ', disk.irq) +
    number(',\n    "base": ', disk.base) +
    defbool(',\n    "colo_enable": ', disk.coloEnable) +
    defbool(',\n    "colo_restore_enable": ', disk.coloRestoreEnable) +
    string(',\n    "colo_host": ', disk.coloHost) +
    number(',\n    "colo_port": ', disk.coloPort) +
    string(',\n    "colo_export": ', disk.coloExport) +
    string(',\n    "active_disk": ', disk.activeDisk) +
    string(',\n    "hidden_disk": ', disk.hiddenDisk) +
    defbool(',\n    "trusted": ', disk.trusted) +
    defbool(',\n    "grant_usage": ', disk.grantUsage)
  return `{${fields === '' ? '\n' : fields.slice(1)}\n}\n`
}

const number = (key: string, value: number): string => (value === 0 ? '' : key + value)

const flag = (key: string, value: boolean): string => (value ? `${key}1` : '')

const word = (key: string, value: string): string => (value === 'unknown' ? '' : `${key}"${value}"`)

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
