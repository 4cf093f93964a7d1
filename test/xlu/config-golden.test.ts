import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { type Config, type ConfigItem, ConfigValueError, safeParseConfig } from 'xenlight'
import { goldenRows } from '../support/golden.js'

interface Said {
  said: string
}

function answer<Value>(ask: () => Value): Value | Said {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof ConfigValueError)) throw error
    return { said: error.libxlMessage }
  }
}

/** Gathers what differs: thousands of assertions named after wild texts would be slow, and no TAP. */
function comparison() {
  const different: { text: string; got: unknown; want: unknown }[] = []
  return {
    row(text: string, got: unknown, want: unknown): void {
      if (!isDeepStrictEqual(got, want)) different.push({ text, got, want })
    },
    end: (t: Test): void => void t.strictSame(different, []),
  }
}

const access = {
  string: (config: Config, key: string) => config.getString(key),
  long: (config: Config, key: string) => {
    const value = config.getLong(key)
    return typeof value === 'bigint' ? Number(value) : value
  },
  list: (config: Config, key: string) => config.getList(key)?.map(item => (typeof item === 'string' ? item : null)),
}

interface MasterRow {
  text: string
  rc: number
  stderr: string
  values: Record<string, Partial<Record<keyof typeof access, { value: unknown } | Said>>>
}

t.test('every message and value that libxlu_cfg of Xen master gives', async t => {
  const rows = goldenRows<MasterRow>('cfg.jsonl.gz')
  t.equal(rows.length, 1968)
  const compare = comparison()
  for (const { text, rc, stderr, values } of rows) {
    const result = safeParseConfig(text, { filename: 'guest.cfg' })
    if (!result.success) {
      compare.row(text, [22, result.error.libxlMessage], [rc, stderr])
      continue
    }
    const { config } = result
    const got: Record<string, unknown> = {}
    const want: Record<string, unknown> = {}
    for (const key of ['name', 'memory', 'a', 'b', 'disk'])
      for (const kind of ['string', 'long', 'list'] as const) {
        const answered = values[key]?.[kind]
        want[`${kind} ${key}`] = answered && ('said' in answered ? answered : answered.value)
        got[`${kind} ${key}`] = answer<unknown>(() => access[kind](config, key))
      }
    compare.row(text, [0, got], [rc, want])
  }
  compare.end(t)
})

interface GeneratedRow {
  text: string
  crash?: true
  rc?: number
  stderr: string
  settings?: {
    name: string
    value: ConfigItem
    long?: string
    longSaid?: string
    stringSaid?: string
    listSaid?: string
  }[]
}

t.test('odd bytes, escapes and broken lists, as libxlutil answers', async t => {
  const rows = goldenRows<GeneratedRow>('cfg-generated.jsonl.gz')
  t.ok(rows.length > 2000)
  const compare = comparison()
  const orSaid = (said: string | undefined, value: unknown): unknown => (said === undefined ? value : { said })
  for (const { text, crash = false, rc, stderr, settings = [] } of rows) {
    const result = safeParseConfig(text, { filename: 'guest.cfg' })
    if (!result.success) {
      const crashed = result.diagnostics.at(-1)?.code === 'config-nul'
      compare.row(text, [result.error.libxlMessage, crashed], [stderr, crash])
      continue
    }
    const { config } = result
    const want = settings.map(({ name, value, long, longSaid, stringSaid, listSaid }) => [
      name,
      value,
      orSaid(longSaid, long),
      orSaid(stringSaid, value),
      orSaid(listSaid, value),
    ])
    const got = settings.map(({ name }) => [
      name,
      config.getPlace(name)?.value,
      answer(() => String(config.getLong(name))),
      answer(() => config.getString(name)),
      answer(() => config.getList(name)),
    ])
    compare.row(text, [0, config.keys().length, got], [rc, settings.length, want])
  }
  compare.end(t)
})
