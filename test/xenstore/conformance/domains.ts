import { formatPermissions, parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf } from './case.js'
import { unknownDomid } from './subject.js'

const noSuchDomain = 'that is what it says of a domain that it does not know'

export const domains: Cases = {
  'the path of any domain': async (t, { store }) => {
    for (const domid of [0, 1, 11, 0x7fef]) t.equal(await store.getDomainPath(domid), `/local/domain/${domid}`)
  },

  'what is no domid is refused before it is sent': async (t, { store }) => {
    const { requests } = store.statistics
    for (const domid of [-1, 0x10000, 1.5, Number.NaN]) {
      t.equal(await codeOf(store.getDomainPath(domid)), 'EINVAL')
      t.equal(await codeOf(store.release(domid)), 'EINVAL')
      t.equal(await codeOf(store.isIntroduced(domid)), 'EINVAL')
    }
    t.equal(store.statistics.requests, requests)
  },

  'introduced, and released': async (t, peers) => {
    const { store } = peers
    const domid = peers.newDomid()
    t.equal(await store.isIntroduced(domid), false)
    await store.introduce({ domid, gfn: 1, eventChannel: 1 })
    t.equal(await store.isIntroduced(domid), true)
    await store.release(domid)
    t.equal(await store.isIntroduced(domid), false)
    const again = peers.differs('ENOENT', { oxenstored: 'EINVAL' }, noSuchDomain)
    t.equal(await codeOf(store.release(domid)), again)
  },

  'domain 0 is always there': async (t, peers) => {
    const { store } = peers
    t.equal(await store.isIntroduced(0), true)
    const { requests } = store.statistics
    t.equal(await codeOf(store.release(0)), 'EINVAL')
    t.equal(store.statistics.requests, requests, 'refused before it is sent: oxenstored would do it')
    t.equal(await store.isIntroduced(0), true)
  },

  'one that nobody knows': async (t, peers) => {
    const { store } = peers
    t.equal(await store.isIntroduced(unknownDomid), false)
    const unknown = peers.differs('ENOENT', { oxenstored: 'EINVAL' }, noSuchDomain)
    t.equal(await codeOf(store.release(unknownDomid)), unknown)
    t.equal(await codeOf(store.resume(unknownDomid)), unknown)
    t.equal(await codeOf(store.setTarget(unknownDomid, 0)), 'ENOENT')
  },

  'introduced twice': async (t, peers) => {
    const { store } = peers
    const domid = await peers.introduced()
    await store.introduce({ domid, gfn: 1000 + domid, eventChannel: 1 })
    t.equal(await store.isIntroduced(domid), true)
  },

  resumed: async (t, peers) => {
    const domid = await peers.introduced()
    await peers.store.resume(domid)
    t.equal(await peers.store.isIntroduced(domid), true)
  },

  'a released domain loses its nodes': async (t, peers) => {
    const { store, path } = peers
    const { domid } = await peers.guest()
    await store.write(`${path}/theirs/below`, 'x')
    await store.write(`${path}/mine`, 'x')
    await store.setPermissions(`${path}/theirs`, parsePermissions(`n${domid}`))
    await store.setPermissions(`${path}/mine`, parsePermissions(`n0,r${domid}`))
    await store.release(domid)
    t.strictSame(await store.directory(path), ['mine'])
    const entries = peers.differs(
      `n0,r${domid}`,
      { embedded: 'n0', oxenstored: 'n0' },
      'it drops the entry, as later xenstoreds do',
    )
    t.equal(formatPermissions(await store.getPermissions(`${path}/mine`)), entries)
  },

  'a guest knows its own place': async (t, peers) => {
    const { domid, store: guest } = await peers.guest()
    t.equal(await guest.getDomainPath(domid), `/local/domain/${domid}`)
    t.equal(await guest.getDomainPath(0), '/local/domain/0')
  },

  'a guest can do none of this': async (t, peers) => {
    const { domid, store: guest } = await peers.guest()
    t.equal(await codeOf(guest.introduce({ domid: peers.newDomid(), gfn: 1, eventChannel: 1 })), 'EACCES')
    t.equal(await codeOf(guest.release(domid)), 'EACCES')
    t.equal(await codeOf(guest.resume(domid)), 'EACCES')
    t.equal(await codeOf(guest.setTarget(domid, 0)), 'EACCES')
    t.equal(await codeOf(guest.isIntroduced(0)), 'EACCES')
  },

  'what is missing on the wire': async (t, peers) => {
    const raw = await peers.raw()
    t.equal(await raw.ask('INTRODUCE', '5\0'), 'EINVAL')
    t.equal(await raw.ask('RELEASE', '\0'), 'EINVAL')
    t.equal(await raw.ask('SET_TARGET', '5\0'), 'EINVAL')
    t.equal(await raw.ask('IS_DOMAIN_INTRODUCED', '\0'), 'EINVAL')
  },
}
