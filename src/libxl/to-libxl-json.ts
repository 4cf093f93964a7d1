import type { DeviceDisk } from './device-disk.js'

/**
 * A record as `libxl_device_disk_to_json` writes it when built with yajl: four blanks, keys in libxl's order, nothing
 * that has its initial value, a newline at the end. Default booleans are the words "True" and "False", flags the
 * number 1. A lone surrogate (a byte that is not UTF-8, see `encodeText`) is passed on as it is, as libxl passes the byte.
 */
export function toLibxlJson(disk: DeviceDisk): string {
  const fields =
    number('backend_domid', disk.backendDomid) +
    string('backend_domname', disk.backendDomname) +
    string('pdev_path', disk.pdevPath) +
    string('vdev', disk.vdev) +
    word('backend', disk.backend) +
    word('format', disk.format) +
    string('script', disk.script) +
    flag('removable', disk.removable) +
    flag('readwrite', disk.readwrite) +
    flag('is_cdrom', disk.isCdrom) +
    (disk.directIoSafe ? ',\n    "direct_io_safe": true' : '') +
    defbool('discard_enable', disk.discardEnable) +
    word('specification', disk.specification) +
    word('transport', disk.transport) +
    number('irq', disk.irq) +
    number('base', disk.base) +
    defbool('colo_enable', disk.coloEnable) +
    defbool('colo_restore_enable', disk.coloRestoreEnable) +
    string('colo_host', disk.coloHost) +
    number('colo_port', disk.coloPort) +
    string('colo_export', disk.coloExport) +
    string('active_disk', disk.activeDisk) +
    string('hidden_disk', disk.hiddenDisk) +
    defbool('trusted', disk.trusted) +
    defbool('grant_usage', disk.grantUsage)
  return `{${fields === '' ? '\n' : fields.slice(1)}\n}\n`
}

const member = (key: string, value: string | number): string => `,\n    "${key}": ${value}`

const number = (key: string, value: number): string => (value === 0 ? '' : member(key, value))

const flag = (key: string, value: boolean): string => (value ? member(key, 1) : '')

const word = (key: string, value: string): string => (value === 'unknown' ? '' : member(key, `"${value}"`))

const defbool = (key: string, value: boolean | undefined): string =>
  value === undefined ? '' : member(key, value ? '"True"' : '"False"')

const string = (key: string, value: string | undefined): string =>
  value === undefined ? '' : member(key, `"${special.test(value) ? value.replace(specials, escapeCharacter) : value}"`)

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
