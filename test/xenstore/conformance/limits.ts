import { type Cases, codeOf } from './case.js'

const payloadMax = 4096
const maxSize = 'its largest value has 2,048 bytes, quota-maxsize'

export const limits: Cases = {
  'the largest value, and one byte more': async (t, peers) => {
    const { store, path } = peers
    const room = payloadMax - path.length - 1
    const most = peers.differs(room, { oxenstored: 2048 }, maxSize)
    if (most < room) {
      await store.write(path, 'x'.repeat(most))
      t.equal(await store.read(path), 'x'.repeat(most))
      t.equal(await codeOf(store.write(path, 'x'.repeat(most + 1))), 'E2BIG')
      return
    }
    const value = 'x'.repeat(room)
    await store.write(path, value)
    t.equal(await store.read(path), value)
    const { requests } = store.statistics
    await t.rejects(store.write(path, `${value}x`), { code: 'E2BIG', operation: 'WRITE', path })
    t.equal(store.statistics.requests, requests, 'refused before it is sent')
    t.equal(await store.read(path), value)
  },

  'the size is that of the bytes': async (t, peers) => {
    const { store, path } = peers
    const room = peers.differs(payloadMax - path.length - 1, { oxenstored: 2048 }, maxSize)
    const value = 'ä'.repeat(Math.floor(room / 2))
    await store.write(path, value)
    t.equal(await store.read(path), value)
    t.equal(await codeOf(store.write(path, `${value}ä`)), 'E2BIG')
  },

  'a long path, and a longer one': async (t, peers) => {
    const { store, path } = peers
    const most = 2048
    const long = `${path}/${'a'.repeat(most - path.length - 1)}`
    await store.write(long, 'x')
    t.equal(await store.read(long), 'x')
    const tooLong = 'EINVAL'
    t.equal(await codeOf(store.write(`${long}a`, 'x')), tooLong)
    t.equal(await codeOf(store.read(`${long}a`)), tooLong)
    await store.rm(path)
  },

  'a deep path': async (t, { store, path }) => {
    const deep = path + '/a'.repeat(400)
    await store.write(deep, 'x')
    t.equal(await store.read(deep), 'x')
    await store.rm(path)
    t.equal(await store.readIfPresent(path), undefined)
  },

  'a relative path, and a longer one': async (t, peers) => {
    const { store, path } = peers
    const most = 2048
    const long = path.slice(1) + 'a'.repeat(most - path.length + 1)
    await store.write(long, 'x')
    t.equal(await store.read(`/local/domain/0/${long}`), 'x')
    t.equal(await codeOf(store.read(`${long}a`)), 'ENAMETOOLONG')
    await store.rm(long)
  },

  'a payload that is too long ends the connection, and no other': async (t, peers) => {
    const raw = await peers.raw()
    const answer = peers.differs('closed', { oxenstored: 'E2BIG' }, 'it reads it, and finds the value too large')
    t.equal(await raw.ask('WRITE', `${peers.path}\0${'x'.repeat(payloadMax)}`), answer)
    if (answer === 'closed') await raw.ended
    t.equal(await peers.store.readIfPresent(peers.path), undefined)
  },

  'a payload of exactly 4,096 bytes does not': async (t, peers) => {
    const raw = await peers.raw()
    const room = peers.differs(payloadMax - peers.path.length - 1, { oxenstored: 2048 }, maxSize)
    const value = 'x'.repeat(room)
    t.equal(await raw.ask('WRITE', `${peers.path}\0${value}`), 'OK')
    t.equal(await raw.ask('READ', `${peers.path}\0`), value)
  },
}
