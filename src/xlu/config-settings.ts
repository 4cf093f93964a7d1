import type { ConfigValue } from './config-value.js'

/** A key as the text leaves it. */
export interface ConfigSetting {
  name: string
  /** The key in the text, where it was assigned to last. */
  start: number
  end: number
  /** It came by `+=`: libxl reads no number from it then. */
  addition: boolean
  /** The line that libxl names in its warnings: the one that the value begins on. */
  line: number
  value: ConfigValue
}

/** The settings of a text; of several with one name the last counts, a `+=` joins it with the one before. */
export class ConfigSettings {
  readonly #byName = new Map<string, ConfigSetting>()

  get(name: string): ConfigSetting | undefined {
    return this.#byName.get(name)
  }

  names(): string[] {
    return [...this.#byName.keys()]
  }

  /** False where a list would be added to a string or a string to a list. */
  store(setting: ConfigSetting): boolean {
    const before = setting.addition ? this.#byName.get(setting.name)?.value : undefined
    const value = before ? joined(before, setting.value) : setting.value
    if (value) this.#byName.set(setting.name, { ...setting, value })
    return value !== undefined
  }
}

/** Adds to the first value in place, so that many additions stay linear: nothing else refers to it any more. */
function joined(before: ConfigValue, added: ConfigValue): ConfigValue | undefined {
  if (before.kind === 'string' && added.kind === 'string') {
    before.item += added.item
    for (const piece of added.pieces) before.pieces.push(piece)
    return before
  }
  if (before.kind === 'list' && added.kind === 'list') {
    for (const item of added.item) before.item.push(item)
    for (const value of added.values) before.values.push(value)
    return before
  }
  return undefined
}
