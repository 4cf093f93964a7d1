import { checkInteger, checkText } from '../check-argument.js'
import { XenlightError } from '../xenlight-error.js'
import { parseLong } from './config-long.js'
import { ConfigPlace } from './config-place.js'
import type { ConfigSetting, ConfigSettings } from './config-settings.js'
import type { ConfigItem } from './config-value.js'
import { LineIndex, type TextPosition } from './line-index.js'

/** The codes of `ConfigValueError`; docs/errors.md explains each. */
export const configValueErrorCodes = [
  'config-list',
  'config-no-list',
  'config-added',
  'config-no-number',
  'config-range',
] as const
/** What is wrong with a setting's value. */
export type ConfigValueErrorCode = (typeof configValueErrorCodes)[number]

/** A setting holds a value of another type than the one asked for. */
export class ConfigValueError extends XenlightError {
  override readonly name = 'ConfigValueError'
  readonly code: ConfigValueErrorCode
  readonly key: string
  /** What is wrong, in libxl's words, without the place. */
  readonly problem: string
  /** What libxl writes: the line's source and number, a warning, a newline. */
  readonly libxlMessage: string

  /** @param place the line, as libxl writes it: FILE:LINE */
  constructor(code: ConfigValueErrorCode, key: string, problem: string, place: string) {
    const message = `${place}: warning: ${problem}`
    super(message)
    this.code = code
    this.key = key
    this.problem = problem
    this.libxlMessage = `${message}\n`
  }
}

/** A disk of the text's `disk` list. */
export interface ConfigDiskSpec {
  spec: string
  /** Finds the text that gave a part of the spec. */
  place: ConfigPlace
}

/** The settings of an xl domain configuration text, with the typed access of libxlutil.h (xlu_cfg_get_string and so on). */
export class Config {
  readonly filename: string
  readonly text: string
  readonly #settings: ConfigSettings
  readonly #lines: LineIndex

  constructor(text: string, filename: string, settings: ConfigSettings) {
    this.text = text
    this.filename = filename
    this.#settings = settings
    this.#lines = new LineIndex(text)
  }

  /** Every key that is set, in the order of the text. */
  keys(): string[] {
    return this.#settings.names()
  }

  /** A single value, a number as it is written. Undefined where the key is not set; a list throws `ConfigValueError`. */
  getString(key: string): string | undefined {
    const setting = this.#get(key)
    return setting && this.#single(setting)
  }

  /**
   * A number as strtol reads it in base 0, from -2^63 to 2^63-1: a bigint where a number would not be exact. Undefined
   * where the key is not set; a list, what is no number, and what was put together with `+=` throw `ConfigValueError`.
   */
  getLong(key: string): number | bigint | undefined {
    const setting = this.#get(key)
    if (!setting) return undefined
    const text = this.#single(setting)
    if (setting.addition)
      throw this.#warning('config-added', setting, `can't use += with numbers for parameter \`${key}'`)
    const value = parseLong(text)
    if (value === 'range')
      throw this.#warning(
        'config-range',
        setting,
        `parameter \`${key}' could not be parsed as a number: Numerical result out of range`,
      )
    if (value === 'invalid')
      throw this.#warning('config-no-number', setting, `parameter \`${key}' is not a valid number`)
    return value
  }

  /** A list: strings and lists. Undefined where the key is not set; a single value throws `ConfigValueError`. */
  getList(key: string): readonly ConfigItem[] | undefined {
    const setting = this.#get(key)
    if (!setting) return undefined
    if (setting.value.kind === 'list') return setting.value.item
    throw this.#warning('config-no-list', setting, `parameter \`${key}' is a single value but should be a list`)
  }

  /** Where a setting's value stands; undefined where the key is not set. */
  getPlace(key: string): ConfigPlace | undefined {
    const setting = this.#get(key)
    return setting && new ConfigPlace(setting.value, this.#lines)
  }

  /** Line and column of an offset in the text. */
  positionAt(offset: number): TextPosition {
    checkInteger('offset', offset, 0, this.text.length)
    return this.#lines.at(offset)
  }

  /** The disks as xl takes them (parse_config_data of xl_parse.c): the strings of `disk` up to the first nested list. */
  getDiskSpecs(): ConfigDiskSpec[] {
    const setting = this.#settings.get('disk')
    const disks: ConfigDiskSpec[] = []
    if (setting?.value.kind !== 'list') return disks
    for (const value of setting.value.values) {
      if (value.kind !== 'string') break
      disks.push({ spec: value.item, place: new ConfigPlace(value, this.#lines) })
    }
    return disks
  }

  #get(key: string): ConfigSetting | undefined {
    checkText('key', key)
    return this.#settings.get(key)
  }

  #single(setting: ConfigSetting): string {
    if (setting.value.kind === 'string') return setting.value.item
    throw this.#warning('config-list', setting, `parameter \`${setting.name}' is a list but should be a single value`)
  }

  #warning(code: ConfigValueErrorCode, { name, line }: ConfigSetting, problem: string): ConfigValueError {
    return new ConfigValueError(code, name, problem, `${this.filename}:${line}`)
  }
}
