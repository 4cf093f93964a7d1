import { decodeText } from '#xenlight/byte-text.js'
import { type Cases, codeOf } from './case.js'

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

export const values: Cases = {
  'what was written is read': async (t, { store, path }) => {
    await store.write(path, 'a value')
    t.equal(await store.read(path), 'a value')
  },

  'another value takes the place of the first, shorter or longer': async (t, { store, path }) => {
    for (const value of ['12345678', '1', '', '123456789 and more']) {
      await store.write(path, value)
      t.equal(await store.read(path), value)
    }
  },

  'an empty value is not a missing one': async (t, { store, path }) => {
    await store.write(path, '')
    t.equal(await store.read(path), '')
    t.equal(await store.readIfPresent(path), '')
    t.equal(await store.readIfPresent(`${path}/none`), undefined)
  },

  'every byte survives': async (t, { store, path }) => {
    await store.write(path, everyByte)
    t.strictSame(Uint8Array.from(await store.readBytes(path)), everyByte)
    t.equal(await store.read(path), decodeText(everyByte))
  },

  'bytes that are no UTF-8 survive as text': async (t, { store, path }) => {
    const text = decodeText(everyByte)
    await store.write(path, text.replace('\0', ''))
    t.strictSame(Uint8Array.from(await store.readBytes(path)), everyByte.slice(1))
  },

  'text of all planes': async (t, { store, path }) => {
    for (const value of ['ä', '日本', '🐧 a penguin', '\ufeff', '\uffff', '\r\n\t']) {
      await store.write(path, value)
      t.equal(await store.read(path), value)
    }
  },

  'a lone surrogate that stands for no byte becomes U+FFFD': async (t, { store, path }) => {
    await store.write(path, 'a\ud800b')
    t.equal(await store.read(path), 'a\ufffdb')
  },

  'NULs at the end are part of a value': async (t, { store, path }) => {
    await store.write(path, Uint8Array.of(0, 65, 0, 0))
    t.strictSame([...(await store.readBytes(path))], [0, 65, 0, 0])
  },

  'a NUL in a text is one byte of it': async (t, { store, path }) => {
    await store.write(path, 'a\0b\0')
    t.equal(await store.read(path), 'a\0b\0')
  },

  'a missing node': async (t, { store, path }) => {
    await t.rejects(store.read(path), { name: 'XenstoreError', code: 'ENOENT', operation: 'READ', path })
    t.equal(await codeOf(store.readBytes(`${path}/below/it`)), 'ENOENT')
  },

  'another connection reads it': async (t, peers) => {
    const another = await peers.another()
    await peers.store.write(peers.path, 'there')
    t.equal(await another.read(peers.path), 'there')
  },
}
