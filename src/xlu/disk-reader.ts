import { blankDisk } from '../libxl/blank-disk.js'
import { atoi } from '../libxl/c-integer.js'
import type { DeviceDisk, DiskFormat } from '../libxl/device-disk.js'
import { type Parameter, type ParameterSink, type PrefixParameter, parse, type ValueParameter } from './disk-grammar.js'
import { backendOf, cdromOf, formatOf, specificationOf, writableOf } from './disk-values.js'
import { originOf } from './parameter-origin.js'
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
export class DiskReader implements ParameterSink {
  readonly disk: DeviceDisk = blankDisk()
  readonly refusals: Refusal[] = []
  /** Where each field was given, kept only if asked for. */
  readonly origins: Map<DiskField, Origin> | undefined
  /** The deprecated prefixes that were read, each with its word; undefined where there were none. */
  prefixes: { parameter: PrefixParameter; word: number }[] | undefined
  /** Whether the text ended in a "=" that nothing is read of. */
  hadStrayEquals = false
  /** The last value given for the access. */
  access: string | undefined
  /** The last port that was taken, as it was written. */
  coloPort: string | undefined
  private word = 0
  private accessSet = false
  /** Whether libxlutil would have stopped scanning: what follows is not read. */
  private hasEnded = false

  constructor(traced: boolean) {
    this.disk.readwrite = true
    this.origins = traced ? new Map() : undefined
  }

  /** Reads one word, which has no NUL; false once the spec is refused, after which no other word is looked at. */
  read(word: number, text: string): boolean {
    this.word = word
    parse(text, this)
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

  parameter(parameter: Parameter): void {
    if (this.hasEnded) return
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
        this.setPrefixes(parameter)
        break
      case 'unknown-setting':
        this.refuse('unknown-parameter', 'unknown parameter', parameter)
        break
      case 'unknown-prefix':
        this.refuse('unknown-prefix', 'unknown deprecated disk prefix', parameter)
        break
      case 'bad-syntax':
        this.refuse('bad-syntax', 'bad disk syntax', parameter)
        break
      case 'stray-equals':
        this.hadStrayEquals = true
        break
    }
  }

  /** A value by its place; only where it is traced or refused does it become a parameter. */
  positional(value: string, at: number): void {
    if (this.refusals.length > 0) return
    const { disk } = this
    if (disk.pdevPath === undefined) {
      disk.pdevPath = value
      if (this.origins) this.trace('pdevPath', positionalAt(value, at))
    } else if (this.prefixes === undefined && disk.format === 'unknown') {
      if (disk.pdevPath === '' && this.vdevAndDevtype(value, at)) disk.format = 'empty'
      else this.formatByPlace(value, at)
    } else if (disk.vdev === undefined) {
      if (!this.vdevAndDevtype(value, at)) this.setVdev(value, at)
    } else if (!this.accessSet) {
      this.accessSet = true
      this.accessByPlace(value, at)
    } else {
      this.refuse('too-many-positional', 'too many positional parameters', positionalAt(value, at))
      this.hasEnded = true
    }
  }

  /** `hdc:cdrom`, split at the last colon; false where there is none. */
  private vdevAndDevtype(value: string, at: number): boolean {
    const end = lastColon(value)
    if (end < 0) return false
    this.setVdev(value.slice(0, end), at)
    const devtype = value.slice(end + 1)
    const isCdrom = cdromOf(devtype)
    if (isCdrom === undefined) {
      this.refuse('unknown-value', 'unknown deprecated type', positionalAt(devtype, at + end + 1), 'isCdrom')
    } else {
      this.disk.isCdrom = isCdrom
      if (this.origins) this.trace('isCdrom', positionalAt(devtype, at + end + 1))
    }
    return true
  }

  private formatByPlace(value: string, at: number): void {
    const format = formatOf(value)
    if (format === undefined || this.origins) this.setFormat(format, positionalAt(value, at))
    else this.disk.format = format
  }

  private accessByPlace(value: string, at: number): void {
    const writable = writableOf(value)
    if (writable === undefined || this.origins) {
      this.setAccess(positionalAt(value, at))
    } else {
      this.access = value
      this.disk.readwrite = writable
    }
  }

  private setVdev(value: string, at: number): void {
    const { disk } = this
    if (disk.vdev || this.origins) disk.vdev = this.once(disk.vdev, 'vdev', 'vdev', positionalAt(value, at))
    else disk.vdev = value
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

  private setColoPort(parameter: ValueParameter): void {
    const port = atoi(parameter.value)
    if (port === 0) {
      this.refuse('unknown-value', 'unknown value for colo_port', parameter, 'coloPort')
    } else {
      this.disk.coloPort = port
      this.coloPort = parameter.value
      this.trace('coloPort', parameter)
    }
  }

  private setPrefixes(parameter: PrefixParameter): void {
    const { disk } = this
    this.prefixes ??= []
    this.prefixes.push({ parameter, word: this.word })
    for (const { key, at } of parameter.value) {
      const prefix: ValueParameter = { key: 'positional', value: key, at }
      if (scriptPrefixes.has(key)) disk.script = this.once(disk.script, 'script', 'script', prefix, `block-${key}`)
      else if (formatOf(key)) this.setFormat(formatOf(key), prefix)
    }
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
    this.origins?.set(field, originOf(parameter, this.word))
  }

  private refuse(
    code: RefusalCode,
    message: string,
    parameter: ValueParameter,
    field?: DiskField,
    near = parameter.value,
  ): void {
    this.refusals.push({ code, message, near, field, ...originOf(parameter, this.word) })
  }

  private refuseWhole(code: RefusalCode, message: string, field: DiskField): void {
    this.refusals.push({ code, message, near: undefined, field, word: this.word, start: 0, end: 0, at: 0 })
  }
}

const positionalAt = (value: string, at: number): ValueParameter => ({ key: 'positional', value, at })

const colon = ':'.charCodeAt(0)

/** `lastIndexOf`, which V8 takes longer to call than such a short text is to look through. */
function lastColon(text: string): number {
  let at = text.length - 1
  while (at >= 0 && text.charCodeAt(at) !== colon) at--
  return at
}
