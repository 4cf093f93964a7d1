import { parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf } from './case.js'

const old = 'Xen 4.17 has no such request'

const fine = 'any command that it does not know is fine with it'

export const control: Cases = {
  'help names commands': async (t, peers) => {
    const expected = peers.differs<unknown>('names', { oxenstored: 'OK' }, fine)
    const answer = await codeOf(peers.store.control('help'))
    if (expected === 'names') t.match(answer, /^\s*quota\b/m)
    else t.equal(answer, expected)
  },

  'check and print': async (t, peers) => {
    t.equal(await codeOf(peers.store.control('print', ['a line'])), 'OK')
    t.equal(await codeOf(peers.store.control('check')), 'OK')
  },

  'quota counts what a guest uses': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    await store.mkdir(path)
    await store.setPermissions(path, parsePermissions(`n${domid}`))
    const watch = guest.watch(path)
    await watch.ready
    await guest.transaction(async transaction => {
      await transaction.read(path)
      const answer = await store.control('quota', [String(domid)])
      const counts = peers.differs(true, { oxenstored: false }, 'it counts nodes only')
      if (counts) {
        t.match(answer, /^nodes +: +1$/m)
        t.match(answer, /^watches +: +1$/m)
        t.match(answer, /^transactions +: +1$/m)
      } else {
        t.match(answer, `dom${domid} quota: 1/1000`)
      }
    })
    watch[Symbol.dispose]()
  },

  'an unknown command': async (t, peers) => {
    const expected = peers.differs('EINVAL', { oxenstored: 'OK' }, fine)
    t.equal(await codeOf(peers.store.control('no-such-command')), expected)
  },

  'a guest has no control': async (t, peers) => {
    const { store: guest } = await peers.guest()
    t.equal(await codeOf(guest.control('help')), peers.differs('EACCES', { oxenstored: 'OK' }, fine))
  },

  features: async (t, peers) => {
    const expected = peers.differs<unknown>('ENOSYS', { embedded: 4 }, `a later protocol; ${old}`)
    t.equal(await codeOf(peers.store.getFeature()), expected)
  },

  'quotas by request': async (t, peers) => {
    const { store } = peers
    const { domid } = await peers.guest()
    const has = peers.differs(false, { embedded: true }, `a later protocol; ${old}`)
    if (has) {
      t.ok((await store.listQuotas()).includes('nodes'))
      t.equal(await store.getQuota('nodes'), 1000)
      await store.setQuota('nodes', 5, domid)
      t.strictSame([await store.getQuota('nodes', domid), await store.getQuota('nodes')], [5, 1000])
      t.equal(await codeOf(store.getQuota('no-such-quota')), 'EINVAL')
    } else {
      t.equal(await codeOf(store.listQuotas()), 'ENOSYS')
      t.equal(await codeOf(store.getQuota('nodes')), 'ENOSYS')
      t.equal(await codeOf(store.setQuota('nodes', 5, domid)), 'ENOSYS')
      t.equal(await codeOf(store.setFeature(domid, 0)), 'ENOSYS')
    }
  },
}
