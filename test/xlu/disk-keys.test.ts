import t from 'tap'
import { diskFlags, diskKeys, diskPrefixes } from '#xenlight/xlu/disk-keys.js'
import { parametersOf } from '#xenlight/xlu/parameters-of.js'

t.test('the grammar knows every key', async t => {
  for (const [key, { values = ['x'] }] of diskKeys)
    for (const value of values) t.match(parametersOf(`${key}=${value}`), [{ key, at: 0 }], `${key}=${value}`)
})

t.test('the grammar knows every flag', async t => {
  for (const flag of diskFlags) t.strictSame(parametersOf(flag), [{ key: flag, value: '', at: 0 }], flag)
})

t.test('the grammar knows every prefix', async t => {
  for (const key of diskPrefixes) {
    const [first, ...rest] = parametersOf(`${key}:/x`)
    t.strictSame(first, { key: 'prefixes', value: [{ key, at: 0 }], at: 0 }, key)
    t.match(rest, [{ key: 'positional', value: '/x' }], key)
  }
})

t.test('what no list has, the grammar does not know', async t => {
  t.match(parametersOf('nokey=x'), [{ key: 'unknown-setting' }])
  t.match(parametersOf('noflag'), [{ key: 'positional' }])
  t.match(parametersOf('noprefix:/x'), [{ key: 'unknown-prefix' }])
})

// Checked by the compiler: ParameterKey has every flag.
diskFlags satisfies readonly ReturnType<typeof parametersOf>[number]['key'][]
