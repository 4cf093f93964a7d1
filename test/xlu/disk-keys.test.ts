import t from 'tap'
import { parse } from '#xenlight/xlu/disk-grammar.js'
import { diskFlags, diskKeys, diskPrefixes } from '#xenlight/xlu/disk-keys.js'

t.test('the grammar knows every key', async t => {
  for (const [key, { values = ['x'] }] of diskKeys)
    for (const value of values) t.match(parse(`${key}=${value}`), [{ key, at: 0 }], `${key}=${value}`)
})

t.test('the grammar knows every flag', async t => {
  for (const flag of diskFlags) t.strictSame(parse(flag), [{ key: flag, value: '', at: 0 }], flag)
})

t.test('the grammar knows every prefix', async t => {
  for (const key of diskPrefixes) {
    const [first, ...rest] = parse(`${key}:/x`)
    t.strictSame(first, { key: 'prefixes', value: [{ key, at: 0 }], at: 0 }, key)
    t.match(rest, [{ key: 'positional', value: '/x' }], key)
  }
})

t.test('what no list has, the grammar does not know', async t => {
  t.match(parse('nokey=x'), [{ key: 'unknown-setting' }])
  t.match(parse('noflag'), [{ key: 'positional' }])
  t.match(parse('noprefix:/x'), [{ key: 'unknown-prefix' }])
})

// Checked by the compiler: ParameterKey has every flag.
diskFlags satisfies readonly ReturnType<typeof parse>[number]['key'][]
