import { blankDisk } from '../libxl/blank-disk.js'
import { atoi } from '../libxl/c-integer.js'
import type { DeviceDisk, DiskFormat } from '../libxl/device-disk.js'
import type { Parameter, PrefixParameter, ValueParameter } from './disk-grammar.js'
import { diskFlags } from './disk-keys.js'
import { backendOf, cdromOf, formatOf, specificationOf, writableOf } from './disk-values.js'
import type { DiskField, Origin, Refusal, RefusalCode } from './refusal.js'

/** Those deprecated prefixes that name a hotplug script; of the others, some name a format and some mean nothing. */
const scriptPrefixes = new Set(['iscsi', 'nbd', 'enbd', 'drbd'])

type StringField =
  | 'backendDomname'
  | 'pdevPath'
  | 'vdev'
  | 'script'
  | 'coloHost'
  | 'coloExport'
  | 'activeDisk'
  | 'hiddenDisk'

/**
 * Builds one disk from the parameters of one or more words, by the rules of `xlu_disk_parse`: what may be given twice,
 * what a positional parameter means after what came before it, what is still looked at after a first refusal.
 */
export class DiskReader {
  readonly disk: DeviceDisk = blankDisk()
  readonly refusals: Refusal[] = []
  /** Where each field was given, kept only if asked for. */
  readonly origins: Map<DiskField, Origin> | undefined
  /** Whether a deprecated prefix was read. */
  hadPrefix = false
  /** Whether the text ended in a "=" that nothing is read of. */
  hadStrayEquals = false
  /** The last value given for the access. */
  access: string | undefined
  private word = 0
  private accessSet = false

  constructor(traced: boolean) {
    this.disk.readwrite = true
    this.origins = traced ? new Map() : undefined
  }

  /** Reads one word; false once the spec is refused, after which no other word is looked at. */
  read(word: number, parameters: readonly Parameter[]): boolean {
    this.word = word
    for (const parameter of parameters) {
      // The most common kind is spared the call to the switch over all kinds.
      const goesOn =
        parameter.key === 'positional' ? this.refusals.length > 0 || this.positional(parameter) : this.apply(parameter)
      if (!goesOn) break
    }
    return this.refusals.length === 0
  }

  /** The checks and defaults after the last word. */
  finish(lastWord: number): void {
    const { disk } = this
    this.word = lastWord
    if (disk.format === 'unknown') disk.format = 'raw'
    if (disk.isCdrom) {
      disk.removable = true
      disk.readwrite = false
      if (!disk.pdevPath) disk.format = 'empty'
    }
    if (disk.vdev === undefined) this.refuseWhole('no-vdev', 'no vdev specified', 'vdev')
    else if (disk.pdevPath === undefined && !disk.removable)
      this.refuseWhole('no-target', 'no target specified (and device not removable)', 'pdevPath')
  }

  /** False where scanning ends. */
  private apply(parameter: Parameter): boolean {
    const { disk } = this
    switch (parameter.key) {
      case 'format':
        this.setFormat(formatOf(parameter.value), parameter)
        break
      case 'vdev':
        disk.vdev = this.once(disk.vdev, 'vdev', 'vdev', parameter)
        break
      case 'target':
        disk.pdevPath = this.once(disk.pdevPath, 'pdevPath', 'target', parameter)
        break
      case 'access':
        this.setAccess(parameter)
        break
      case 'backendtype':
        this.setBackend(parameter)
        break
      case 'backend':
        disk.backendDomname = this.once(disk.backendDomname, 'backendDomname', 'backend', parameter)
        break
      case 'specification':
        this.setSpecification(parameter)
        break
      case 'script':
        disk.script = this.once(disk.script, 'script', 'script', parameter)
        break
      case 'devtype':
        this.setDevtype(parameter)
        break
      case 'cdrom':
        disk.isCdrom = true
        this.trace('isCdrom', parameter)
        break
      case 'direct-io-safe':
        disk.directIoSafe = true
        break
      case 'discard':
        disk.discardEnable = true
        break
      case 'no-discard':
        disk.discardEnable = false
        break
      case 'colo':
        disk.coloEnable = true
        this.trace('coloEnable', parameter)
        break
      case 'no-colo':
        disk.coloEnable = false
        this.trace('coloEnable', parameter)
        break
      case 'colo-host':
        disk.coloHost = this.once(disk.coloHost, 'coloHost', 'colo-host', parameter)
        break
      case 'colo-port':
        this.setColoPort(parameter)
        break
      case 'colo-export':
        disk.coloExport = this.once(disk.coloExport, 'coloExport', 'colo-export', parameter)
        break
      case 'active-disk':
        disk.activeDisk = this.once(disk.activeDisk, 'activeDisk', 'active-disk', parameter)
        break
      case 'hidden-disk':
        disk.hiddenDisk = this.once(disk.hiddenDisk, 'hiddenDisk', 'hidden-disk', parameter)
        break
      case 'trusted':
        disk.trusted = true
        break
      case 'untrusted':
        disk.trusted = false
        break
      case 'grant_usage':
        disk.grantUsage = parameter.value === '1'
        break
      case 'prefixes':
        this.prefixes(parameter)
        break
      case 'unknown-setting':
        this.refuse('unknown-parameter', 'unknown parameter', parameter)
        break
      case 'unknown-prefix':
        this.refuse('unknown-prefix', 'unknown deprecated disk prefix', parameter)
        return false
      case 'bad-syntax':
        this.refuse('bad-syntax', 'bad disk syntax', parameter)
        return false
      case 'stray-equals':
        this.hadStrayEquals = true
        return false
    }
    return true
  }

  private positional(parameter: ValueParameter): boolean {
    const { disk } = this
    if (disk.pdevPath === undefined) {
      disk.pdevPath = parameter.value
      this.trace('pdevPath', parameter)
    } else if (!this.hadPrefix && disk.format === 'unknown') {
      if (disk.pdevPath === '' && this.vdevAndDevtype(parameter)) disk.format = 'empty'
      else this.setFormat(formatOf(parameter.value), parameter)
    } else if (disk.vdev === undefined) {
      if (!this.vdevAndDevtype(parameter)) disk.vdev = this.once(disk.vdev, 'vdev', 'vdev', parameter)
    } else if (!this.accessSet) {
      this.accessSet = true
      this.setAccess(parameter)
    } else {
      this.refuse('too-many-positional', 'too many positional parameters', parameter)
      return false
    }
    return true
  }

  /** `hdc:cdrom`, split at the last colon; false where there is none. */
  private vdevAndDevtype(parameter: ValueParameter): boolean {
    const end = lastColon(parameter.value)
    if (end >= 0) this.setVdevAndDevtype(parameter, end)
    return end >= 0
  }

  private setVdevAndDevtype({ key, value, at }: ValueParameter, end: number): void {
    const { disk } = this
    disk.vdev = this.once(disk.vdev, 'vdev', 'vdev', { key, value: value.slice(0, end), at })
    const devtype = { key, value: value.slice(end + 1), at: at + end + 1 }
    const isCdrom = cdromOf(devtype.value)
    if (isCdrom === undefined) {
      this.refuse('unknown-value', 'unknown deprecated type', devtype, 'isCdrom')
    } else {
      disk.isCdrom = isCdrom
      this.trace('isCdrom', devtype)
    }
  }

  /** libxlutil shows the whole parameter where it refuses one, so its whole text comes here. */
  private setDevtype({ key, value: text, at }: ValueParameter): void {
    const parameter = { key, value: text.endsWith(',') ? text.slice(8, -1) : text.slice(8), at }
    const isCdrom = cdromOf(parameter.value)
    if (isCdrom === undefined) {
      this.refuse('unknown-value', 'unknown value for type', parameter, 'isCdrom', text)
    } else {
      this.disk.isCdrom = isCdrom
      this.trace('isCdrom', parameter)
    }
  }

  private setAccess(parameter: ValueParameter): void {
    this.access = parameter.value
    const writable = writableOf(parameter.value)
    if (writable === undefined) {
      this.refuse('unknown-value', 'unknown value for access', parameter, 'readwrite')
    } else {
      this.disk.readwrite = writable
      this.trace('readwrite', parameter)
    }
  }

  private setFormat(value: DiskFormat | undefined, parameter: ValueParameter): void {
    this.disk.format = this.agreed(this.disk.format, value, 'format', 'format', parameter)
  }

  private setBackend(parameter: ValueParameter): void {
    const value = backendOf(parameter.value)
    this.disk.backend = this.agreed(this.disk.backend, value, 'backend', 'backendtype', parameter)
  }

  private setSpecification(parameter: ValueParameter): void {
    const value = specificationOf(parameter.value)
    this.disk.specification = this.agreed(this.disk.specification, value, 'specification', 'specification', parameter)
  }

  /** A field's value from now on: it may be given the same one again. */
  private agreed<Value extends string>(
    before: Value,
    value: Value | undefined,
    field: 'format' | 'backend' | 'specification',
    key: string,
    parameter: ValueParameter,
  ): Value {
    if (value === undefined) {
      this.refuse('unknown-value', `unknown value for ${key}`, parameter, field)
    } else if (before !== 'unknown' && before !== value) {
      this.refuse('respecified', `${field} respecified`, parameter, field)
    } else {
      this.trace(field, parameter)
      return value
    }
    return before
  }

  private setColoPort(parameter: ValueParameter): void {
    const port = atoi(parameter.value)
    if (port === 0) {
      this.refuse('unknown-value', 'unknown value for colo_port', parameter, 'coloPort')
    } else {
      this.disk.coloPort = port
      this.trace('coloPort', parameter)
    }
  }

  private prefixes(parameter: PrefixParameter): void {
    const { disk } = this
    for (const { key, at } of parameter.value) {
      this.hadPrefix = true
      const prefix: ValueParameter = { key: 'positional', value: key, at }
      if (scriptPrefixes.has(key)) disk.script = this.once(disk.script, 'script', 'script', prefix, `block-${key}`)
      else if (formatOf(key)) this.setFormat(formatOf(key), prefix)
    }
  }

  /**
   * A field's value from now on: an empty string may be given again, any other may not, not even the same. The caller
   * reads and writes the field, as by a name that changes that would take longer than all the rest.
   */
  private once(
    before: string | undefined,
    field: StringField,
    name: string,
    parameter: ValueParameter,
    value = parameter.value,
  ): string {
    if (before) {
      this.refuse('respecified', `${name} respecified`, parameter, field, value)
      return before
    }
    this.trace(field, parameter)
    return value
  }

  private trace(field: DiskField, parameter: ValueParameter): void {
    this.origins?.set(field, this.originOf(parameter))
  }

  private refuse(
    code: RefusalCode,
    message: string,
    parameter: ValueParameter,
    field?: DiskField,
    near = parameter.value,
  ): void {
    this.refusals.push({ code, message, near, field, ...this.originOf(parameter) })
  }

  private refuseWhole(code: RefusalCode, message: string, field: DiskField): void {
    this.refusals.push({ code, message, near: undefined, field, word: this.word, start: 0, end: 0, at: 0 })
  }

  private originOf(parameter: ValueParameter): Origin {
    const { value, at } = parameter
    const start = at + (isFlag(parameter) || nameless.has(parameter.key) ? 0 : parameter.key.length + 1)
    const length = isFlag(parameter) ? parameter.key.length : value.length
    return { word: this.word, start, end: start + length, at }
  }
}

const colon = ':'.charCodeAt(0)

/** Parameters whose text begins with their value. */
const nameless: ReadonlySet<string> = new Set(['positional', 'unknown-setting', 'unknown-prefix', 'bad-syntax'])

const isFlag = ({ key }: ValueParameter): boolean => (diskFlags as readonly string[]).includes(key)

/** `lastIndexOf`, which V8 takes longer to call than such a short text is to look through. */
function lastColon(text: string): number {
  let at = text.length - 1
  while (at >= 0 && text.charCodeAt(at) !== colon) at--
  return at
}
