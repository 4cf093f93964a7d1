import type { DomainType } from '../libxl/resolved-disk.js'
import { type Config, ConfigValueError } from '../xlu/config.js'
import type { Diagnostic } from '../xlu/diagnostic.js'
import type { DiagnosticCode } from '../xlu/diagnostic-code.js'
import type { GuestOptions } from './command.js'

/** What a disk's nodes and arguments depend on besides the disk. */
export interface Guest {
  domid: number
  domainType: DomainType
  hdtype: 'ide' | 'ahci' | undefined
  stubdom: boolean
  coloRestore: boolean
  domains: ReadonlyMap<string, number>
}

/**
 * The guest that the disks are for: by the options, else by its configuration file as `parse_config_data` of xl_parse.c
 * reads it, else an HVM guest.
 */
export function guestOf(options: GuestOptions, config: Config | undefined, diagnostics: Diagnostic[]): Guest {
  const { domid, coloRestore, domains } = options
  const file = config && new GuestSettings(config, diagnostics)
  const domainType = options.domainType ?? file?.domainType() ?? 'hvm'
  const hvm = domainType === 'hvm'
  return {
    domid,
    domainType,
    hdtype: options.hdtype ?? (hvm ? file?.hdtype() : undefined),
    stubdom: options.stubdom ?? file?.stubdom() ?? false,
    coloRestore,
    domains,
  }
}

class GuestSettings {
  readonly #config: Config
  readonly #diagnostics: Diagnostic[]

  constructor(config: Config, diagnostics: Diagnostic[]) {
    this.#config = config
    this.#diagnostics = diagnostics
  }

  /** xl takes any beginning of a word for the word; where nothing is set, x86's default. */
  domainType(): DomainType {
    const type = this.#chosen('type', ['hvm', 'pv', 'pvh'])
    const builder = this.#chosen('builder', ['hvm', 'generic'])
    const built = builder && (builder === 'hvm' ? 'hvm' : 'pv')
    if (type && built && type !== built)
      this.#refuse('builder', 'Contradicting "builder" and "type" options specified.')
    return built ?? type ?? 'pv'
  }

  hdtype(): 'ide' | 'ahci' | undefined {
    const text = this.#get('hdtype', config => config.getString('hdtype'))
    const hdtype = text?.toLowerCase()
    if (hdtype === 'ide' || hdtype === 'ahci' || hdtype === undefined) return hdtype
    this.#refuse('hdtype', `invalid value "${text}" for "hdtype"`, 'write "ide" or "ahci"')
    return undefined
  }

  stubdom(): boolean {
    const key = 'device_model_stubdomain_override'
    const value = this.#get(key, config => config.getLong(key))
    return value !== undefined && value !== 0
  }

  #chosen<T extends string>(key: string, words: readonly T[]): T | undefined {
    const text = this.#get(key, config => config.getString(key))
    if (text === undefined) return undefined
    const word = words.find(candidate => candidate.startsWith(text))
    if (word === undefined) this.#refuse(key, `Invalid domain type ${text}.`, `write ${words.map(quote).join(' or ')}`)
    return word
  }

  /** A value of the wrong type is as good as none to xl, after a warning. */
  #get<T>(key: string, read: (config: Config) => T): T | undefined {
    try {
      return read(this.#config)
    } catch (error) {
      if (!(error instanceof ConfigValueError)) throw error
      this.#diagnose('warning', 'config-value', key, error.problem, 'xl goes on as if this were not set')
      return undefined
    }
  }

  #refuse(key: string, message: string, hint?: string): void {
    this.#diagnose('error', 'config-guest', key, message, hint)
  }

  #diagnose(severity: Diagnostic['severity'], code: DiagnosticCode, key: string, message: string, hint?: string): void {
    const { start, end } = this.#config.getPlace(key)!
    this.#diagnostics.push({
      ...{ severity, code, message, spec: this.#config.text, start, end, notes: [] },
      ...(hint !== undefined && { hint }),
    })
  }
}

const quote = (word: string): string => `"${word}"`
