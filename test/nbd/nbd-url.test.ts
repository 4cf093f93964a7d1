import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatNbdUrl, NbdError, parseNbdUrl } from 'xenlight/nbd'
import { holds } from '../support/holds.js'

const read = [
  ['nbd://h', { tls: false, address: { host: 'h', port: 10809 }, exportName: '' }],
  ['nbd://h:1/a/b', { tls: false, address: { host: 'h', port: 1 }, exportName: 'a/b' }],
  ['nbds://[::1]:2/x', { tls: true, address: { host: '::1', port: 2 }, exportName: 'x' }],
  ['nbd+unix:///?socket=/s', { tls: false, address: { path: '/s' }, exportName: '' }],
  ['nbd+unix:///a%20%C3%A4?socket=%2Fs%26+', { tls: false, address: { path: '/s&+' }, exportName: 'a ä' }],
  ['nbds+unix:///x?socket=/s', { tls: true, address: { path: '/s' }, exportName: 'x' }],
] as const

t.test('what a URL says', async t => {
  for (const [url, expected] of read) t.strictSame(parseNbdUrl(url), expected, url)
})

const refused = [
  ['', 'nbd://HOST'],
  ['http://h/x', 'nbd://HOST'],
  ['NBD://h/x', 'nbd://HOST'],
  ['nbd:h:1', 'nbd://HOST'],
  ['nbd+vsock://1', 'nbd://HOST'],
  ['nbd://h/x#f', 'nbd://HOST'],
  ['nbd://', 'host'],
  ['nbd://u@h/x', 'host'],
  ['nbd://h,x/x', 'host'],
  ['nbd://h:0', 'port'],
  ['nbd://h:65536', 'port'],
  ['nbd://h/x?socket=/s', 'no parameters'],
  ['nbd+unix://h/x?socket=/s', 'three slashes'],
  ['nbd+unix:///x', 'socket=PATH'],
  ['nbd+unix:///x?socket=/s&tls-certificates=/etc', 'socket=PATH'],
  ['nbd+unix:///x?socket=/s&socket=/t', 'socket=PATH'],
  ['nbd+unix:///x?socket=s', 'absolute'],
  [`nbd+unix:///x?socket=/${'s'.repeat(107)}`, '107'],
  ['nbd+unix:///%ff?socket=/s', 'UTF-8'],
  ['nbd+unix:///x?socket=/%00', 'NUL'],
  [`nbd://h/${'x'.repeat(4097)}`, '4096'],
] as const

t.test('what is no URL of an export, and why', async () => {
  for (const [url, why] of refused) {
    assert.throws(
      () => parseNbdUrl(url),
      error => error instanceof NbdError && error.code === 'bad-url' && error.message.includes(why),
      url,
    )
  }
})

t.test('what is written is read back, whatever the name and the path', async t => {
  const names = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .filter(text => !text.includes('\0') && text.isWellFormed())
  holds(
    t,
    fc.property(names, names, fc.boolean(), (exportName, name, tls) => {
      const path = `/${name}`
      fc.pre(Buffer.byteLength(path) <= 107)
      const url = { tls, address: { path }, exportName }
      assert.deepEqual(parseNbdUrl(formatNbdUrl(url)), url)
      const remote = { tls, address: { host: 'example.org', port: 77 }, exportName }
      assert.deepEqual(parseNbdUrl(formatNbdUrl(remote)), remote)
    }),
  )
})
