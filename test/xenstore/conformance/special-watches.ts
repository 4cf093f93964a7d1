import { parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf, Watching } from './case.js'

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
    t.equal(await raw.ask('GET_PERMS', '@releaseDomain\0'), 'n0')
    t.equal(await raw.ask('READ', '@releaseDomain\0'), 'EINVAL')
    t.equal(await raw.ask('WRITE', '@releaseDomain\0x'), 'EINVAL')
    t.equal(await raw.ask('WATCH', '@somethingElse\0token\0'), 'EINVAL')
    t.equal(await codeOf(peers.store.read('@releaseDomain')), 'EINVAL', 'refused here')
  },
}
