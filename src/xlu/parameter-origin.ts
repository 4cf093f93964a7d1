import type { ValueParameter } from './disk-grammar.js'
import { diskFlags } from './disk-keys.js'
import type { Origin } from './refusal.js'

/** Parameters whose text begins with their value. */
const nameless: ReadonlySet<string> = new Set(['positional', 'unknown-setting', 'unknown-prefix', 'bad-syntax'])

const isFlag = ({ key }: ValueParameter): boolean => (diskFlags as readonly string[]).includes(key)

/** Where a parameter's value stands in its word; of a flag, where the flag stands. */
export function originOf(parameter: ValueParameter, word: number): Origin {
  const { key, value, at } = parameter
  const flag = isFlag(parameter)
  const start = at + (flag || nameless.has(key) ? 0 : key.length + 1)
  return { word, start, end: start + (flag ? key.length : value.length), at }
}
