import { blankDisk } from '../libxl/blank-disk.js'
import { atoi } from '../libxl/c-integer.js'
import type { DeviceDisk, DiskBackend, DiskFormat, DiskSpecification } from '../libxl/device-disk.js'
import type { Parameter, PrefixParameter, ValueParameter } from './disk-grammar.js'

/** What libxlutil complains of, by the codes of our diagnostics. */
export type RefusalCode =
  | 'respecified'
  | 'unknown-value'
  | 'unknown-parameter'
  | 'unknown-prefix'
  | 'too-many-positional'
  | 'bad-syntax'
  | 'no-vdev'
  | 'no-target'

/** The field of a record that a parameter gives. */
export type DiskField = keyof DeviceDisk

/** Where a field was given: which word of the spec, and where its value stands in it. */
export interface Origin {
  word: number
  start: number
  end: number
  /** The parameter's own start, which for a named one is its key. */
  at: number
}

export interface Refusal extends Origin {
  code: RefusalCode
  /** libxlutil's words. */
  words: string
  /** The text that libxlutil shows as "near", where it shows one. */
  near: string | undefined
  field: DiskField | undefined
}

/** A switch, as a look-up by a string fresh from the text costs its hash. */
function formatOf(value: string): DiskFormat | undefined {
  switch (value) {
    case '':
    case 'raw':
      return 'raw'
    case 'qcow2':
    case 'qcow':
    case 'vhd':
    case 'empty':
    case 'qed':
      return value
  }
  return undefined
}

function backendOf(value: string): DiskBackend | undefined {
  switch (value) {
    case 'phy':
    case 'tap':
    case 'qdisk':
    case 'standalone':
      return value
  }
  return undefined
}

const specificationOf = (value: string): DiskSpecification | undefined =>
  value === 'xen' || value === 'virtio' ? value : undefined

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
  private word = 0
  private hadPrefix = false
  private accessSet = false

  constructor(traced: boolean) {
    this.disk.readwrite = true
    this.origins = traced ? new Map() : undefined
  }

  /** Reads one word; false once the spec is refused, after which no other word is looked at. */
  read(word: number, parameters: readonly Parameter[]): boolean {
    this.word = word
    for (const parameter of parameters) if (!this.apply(parameter)) break
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
    if (disk.vdev === undefined) this.refuse('no-vdev', 'no vdev specified', undefined, 0, 0, 0, 'vdev')
    else if (disk.pdevPath === undefined && !disk.removable)
      this.refuse('no-target', 'no target specified (and device not removable)', undefined, 0, 0, 0, 'pdevPath')
  }

  /** False where scanning ends. */
  private apply(parameter: Parameter): boolean {
    const { disk } = this
    switch (parameter.key) {
      case 'positional':
        return this.refusals.length > 0 || this.positional(parameter)
      case 'format':
        this.setFormat(parameter, 7)
        break
      case 'vdev':
        this.save('vdev', 'vdev', parameter, 5)
        break
      case 'target':
        this.save('pdevPath', 'target', parameter, 7)
        break
      case 'access':
        this.setAccess(parameter, 7)
        break
      case 'backendtype':
        this.setEnum('backend', 'backend', backendOf(parameter.value), 'backendtype', parameter, 12)
        break
      case 'backend':
        this.save('backendDomname', 'backend', parameter, 8)
        break
      case 'specification':
        this.setEnum('specification', 'specification', specificationOf(parameter.value), 'specification', parameter, 14)
        break
      case 'script':
        this.save('script', 'script', parameter, 7)
        break
      case 'devtype':
        this.setDevtype(parameter)
        break
      case 'cdrom':
        disk.isCdrom = true
        this.trace('isCdrom', parameter.at, 'cdrom', 0)
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
        this.trace('coloEnable', parameter.at, 'colo', 0)
        break
      case 'no-colo':
        disk.coloEnable = false
        this.trace('coloEnable', parameter.at, 'no-colo', 0)
        break
      case 'colo-host':
        this.save('coloHost', 'colo-host', parameter, 10)
        break
      case 'colo-port':
        this.setColoPort(parameter)
        break
      case 'colo-export':
        this.save('coloExport', 'colo-export', parameter, 12)
        break
      case 'active-disk':
        this.save('activeDisk', 'active-disk', parameter, 12)
        break
      case 'hidden-disk':
        this.save('hiddenDisk', 'hidden-disk', parameter, 12)
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
        this.refuseValue('unknown-parameter', 'unknown parameter', parameter.value, parameter.at, 0)
        break
      case 'unknown-prefix':
        this.refuseValue('unknown-prefix', 'unknown deprecated disk prefix', parameter.value, parameter.at, 0)
        return false
      case 'bad-syntax':
        this.refuseValue('bad-syntax', 'bad disk syntax', parameter.value, parameter.at, 0)
        return false
      case 'stray-equals':
        return false
    }
    return true
  }

  private positional(parameter: ValueParameter): boolean {
    const { disk } = this
    if (disk.pdevPath === undefined) {
      disk.pdevPath = parameter.value
      this.trace('pdevPath', parameter.at, parameter.value, 0)
    } else if (!this.hadPrefix && disk.format === 'unknown') {
      if (disk.pdevPath === '' && this.vdevAndDevtype(parameter)) disk.format = 'empty'
      else this.setFormat(parameter, 0)
    } else if (disk.vdev === undefined) {
      if (!this.vdevAndDevtype(parameter)) this.save('vdev', 'vdev', parameter, 0)
    } else if (!this.accessSet) {
      this.accessSet = true
      this.setAccess(parameter, 0)
    } else {
      this.refuseValue('too-many-positional', 'too many positional parameters', parameter.value, parameter.at, 0)
      return false
    }
    return true
  }

  /** `hdc:cdrom`, split at the last colon; false where there is none. */
  private vdevAndDevtype({ value, at }: ValueParameter): boolean {
    if (!value.includes(':')) return false
    const colon = value.lastIndexOf(':')
    this.save('vdev', 'vdev', { value: value.slice(0, colon), at }, 0)
    const devtype = value.slice(colon + 1)
    if (devtype === 'cdrom') this.disk.isCdrom = true
    else if (devtype === 'disk') this.disk.isCdrom = false
    else {
      this.refuseValue('unknown-value', 'unknown deprecated type', devtype, at + colon + 1, 0, 'isCdrom')
      return true
    }
    this.trace('isCdrom', at + colon + 1, devtype, 0)
    return true
  }

  /** libxlutil shows the whole parameter where it refuses one, so its whole text comes here. */
  private setDevtype({ value: text, at }: ValueParameter): void {
    const value = text.endsWith(',') ? text.slice(8, -1) : text.slice(8)
    if (value === 'cdrom') this.disk.isCdrom = true
    else if (value === 'disk') this.disk.isCdrom = false
    else {
      this.refuse('unknown-value', 'unknown value for type', text, at + 8, at + 8 + value.length, at, 'isCdrom')
      return
    }
    this.trace('isCdrom', at, value, 8)
  }

  private setAccess({ value, at }: ValueParameter, skip: number): void {
    if (value === 'r' || value === 'ro') this.disk.readwrite = false
    else if (value === 'rw' || value === 'w' || value === '') this.disk.readwrite = true
    else {
      this.refuseValue('unknown-value', 'unknown value for access', value, at, skip, 'readwrite')
      return
    }
    this.trace('readwrite', at, value, skip)
  }

  private setFormat(parameter: Pick<ValueParameter, 'value' | 'at'>, skip: number): void {
    this.setEnum('format', 'format', formatOf(parameter.value), 'format', parameter, skip)
  }

  private setEnum<F extends 'format' | 'backend' | 'specification'>(
    field: F,
    member: string,
    value: DeviceDisk[F] | undefined,
    key: string,
    parameter: Pick<ValueParameter, 'value' | 'at'>,
    skip: number,
  ): void {
    const { disk } = this
    if (value === undefined) {
      this.refuseValue('unknown-value', `unknown value for ${key}`, parameter.value, parameter.at, skip, field)
    } else if (disk[field] !== 'unknown' && disk[field] !== value) {
      this.refuseValue('respecified', `${member} respecified`, parameter.value, parameter.at, skip, field)
    } else {
      disk[field] = value
      this.trace(field, parameter.at, parameter.value, skip)
    }
  }

  private setColoPort({ value, at }: ValueParameter): void {
    const port = atoi(value)
    if (port === 0) {
      this.refuseValue('unknown-value', 'unknown value for colo_port', value, at, 10, 'coloPort')
      return
    }
    this.disk.coloPort = port
    this.trace('coloPort', at, value, 10)
  }

  private prefixes(parameter: PrefixParameter): void {
    for (const { key, at } of parameter.value) {
      this.hadPrefix = true
      if (scriptPrefixes.has(key)) this.save('script', 'script', { value: `block-${key}`, at }, 0, key.length)
      else if (formatOf(key)) this.setFormat({ value: key, at }, 0)
    }
  }

  /** An empty string may be given again, any other may not, not even the same. */
  private save(
    field: StringField,
    name: string,
    { value, at }: Pick<ValueParameter, 'value' | 'at'>,
    skip: number,
    width = value.length,
  ): void {
    if (this.disk[field]) {
      this.refuse('respecified', `${name} respecified`, value, at + skip, at + skip + width, at, field)
    } else {
      this.disk[field] = value
      this.origins?.set(field, { word: this.word, start: at + skip, end: at + skip + width, at })
    }
  }

  private trace(field: DiskField, at: number, value: string, skip: number): void {
    this.origins?.set(field, { word: this.word, start: at + skip, end: at + skip + value.length, at })
  }

  private refuseValue(
    code: RefusalCode,
    words: string,
    near: string,
    at: number,
    skip: number,
    field?: DiskField,
  ): void {
    this.refuse(code, words, near, at + skip, at + skip + near.length, at, field)
  }

  private refuse(
    code: RefusalCode,
    words: string,
    near: string | undefined,
    start: number,
    end: number,
    at: number,
    field: DiskField | undefined,
  ): void {
    this.refusals.push({ code, words, near, field, word: this.word, start, end, at })
  }
}
