import { type Config, ConfigValueError, safeParseConfig } from 'xenlight'
import { decodeText, encodeText } from '#xenlight/byte-text.js'
import type { ConfigAnswer, GetAnswer, GetKind, Libxlutil } from '../real/libxlutil.js'
import { configTexts } from '../support/config-generator.js'
import type { Subject, Words } from './fuzz.js'

const filename = 'guest.cfg'
const kinds: GetKind[] = ['string', 'long', 'list']
const gets = ['name', 'memory', 'a', 'b', 'disk', 'x1'].flatMap(key => kinds.map(kind => [kind, key] as const))

/** xlu_cfg_readdata and its gets beside safeParseConfig: every value, every message. */
export const configs = (libxlutil: Libxlutil): Subject<ConfigAnswer> => ({
  *generate(seed) {
    for (const text of configTexts(seed, Number.POSITIVE_INFINITY)) yield [encodeText(text).toString('latin1')]
  },
  ask: requests => libxlutil.configs(requests.map(words => ({ filename, text: toBytes(words), gets }))),
  accepts: ({ rc }) => rc === 0,
  difference,
})

const toBytes = (words: Words) => Buffer.from(words.join(''), 'latin1')

function difference(words: Words, real: ConfigAnswer | 'crash'): string | undefined {
  const result = safeParseConfig(decodeText(toBytes(words)), { filename })
  if (real === 'crash') return undefined
  const expected = real.rc === 0 ? real.gets.map(realValue) : [real.report.toString('latin1')]
  const ours = result.success ? gets.map(get => ourValue(result.config, ...get)) : [bytesOf(result.error.libxlMessage)]
  const text = (accepted: boolean, said: unknown) => `${accepted ? 'accepted' : 'refused'} ${JSON.stringify(said)}`
  const [a, b] = [text(real.rc === 0, expected), text(result.success, ours)]
  return a === b ? undefined : `libxl ${a}\nours  ${b}`
}

/** A value as JSON can say it: null where not set, a list's inner lists as null, a number as its digits. */
type Value = null | string | { number: string } | { list: (string | null)[] } | { warning: string }

const notSet = 3

function realValue({ rc, report, value }: GetAnswer): Value {
  if (rc === notSet) return null
  if (rc !== 0) return { warning: report.toString('latin1') }
  if (typeof value === 'bigint') return { number: String(value) }
  if (Array.isArray(value)) return { list: value.map(item => item?.toString('latin1') ?? null) }
  return value?.toString('latin1') ?? null
}

function ourValue(config: Config, kind: GetKind, key: string): Value {
  try {
    if (kind === 'string') return bytesOf(config.getString(key))
    const value = kind === 'long' ? config.getLong(key) : config.getList(key)
    if (value === undefined) return null
    if (typeof value !== 'object') return { number: String(value) }
    return { list: value.map(item => (typeof item === 'string' ? bytesOf(item) : null)) }
  } catch (error) {
    if (error instanceof ConfigValueError) return { warning: bytesOf(error.libxlMessage) }
    throw error
  }
}

function bytesOf(text: string): string
function bytesOf(text: string | undefined): string | null
function bytesOf(text: string | undefined): string | null {
  return text === undefined ? null : encodeText(text).toString('latin1')
}
