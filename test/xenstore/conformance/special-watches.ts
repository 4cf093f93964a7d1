import { parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, Watching } from './case.js'

export const specialWatches: Cases = {
  'introduced and released': async (t, peers) => {
    const { store } = peers
    const domid = peers.newDomid()
    using introduced = await Watching.start(t, store, '@introduceDomain')
    using released = await Watching.start(t, store, '@releaseDomain')
    await store.introduce({ domid, gfn: 1, eventChannel: 1 })
    t.strictSame(await introduced.paths(), ['@introduceDomain'])
    t.strictSame(await released.paths(), [])
    await store.release(domid)
    t.strictSame(await introduced.paths(), [])
    t.strictSame(await released.paths(), ['@releaseDomain'])
  },

  'heard by other connections, and not below the root': async (t, peers) => {
    const another = await peers.another()
    using introduced = await Watching.start(t, another, '@introduceDomain')
    using root = await Watching.start(t, another, '/')
    const { domid } = await peers.guest()
    await peers.store.release(domid)
    t.strictSame(await introduced.paths(), ['@introduceDomain'])
    t.strictSame(
      (await root.paths()).filter(path => path.includes('@')),
      [],
    )
  },

  'a guest hears of them only where it may': async (t, peers) => {
    const { store } = peers
    const { domid, store: guest } = await peers.guest()
    using watching = await Watching.start(t, guest, '@introduceDomain')
    await peers.guest()
    t.strictSame(await watching.paths(), [])
    await store.setPermissions('@introduceDomain', parsePermissions(`n0,r${domid}`))
    await watching.paths()
    await peers.guest()
    t.strictSame(await watching.paths(), ['@introduceDomain'])
    await store.setPermissions('@introduceDomain', parsePermissions('n0'))
  },

  'they have permissions and nothing else': async (t, peers) => {
    const raw = await peers.raw()
    const readable = peers.differs('EINVAL', { embedded: 'n0', oxenstored: 'n0' }, 'they can be set and asked for')
    t.equal(await raw.ask('GET_PERMS', '@releaseDomain\0'), readable)
    t.equal(await raw.ask('SET_PERMS', '@releaseDomain\0n0\0'), 'OK')
    const [read, written] = peers.differs(
      ['EINVAL', 'EINVAL'],
      { oxenstored: ['', 'OK'] },
      'they are nodes to it as any other',
    )
    t.equal(await raw.ask('READ', '@releaseDomain\0'), read)
    t.equal(await raw.ask('WRITE', '@releaseDomain\0'), written)
    t.equal(await raw.ask('WATCH', '@somethingElse\0token\0'), 'OK', 'nothing comes of it')
  },
}
