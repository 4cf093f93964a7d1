import { parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf, Watching } from './case.js'

export const watches: Cases = {
  'the first event comes at once, of a missing node too': async (t, { store, path }) => {
    using _ = await Watching.start(t, store, path)
    await store.write(`${path}/a`, 'x')
    using __ = await Watching.start(t, store, `${path}/a`)
  },

  'each kind of change': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    using watching = await Watching.start(t, store, path)
    await another.write(`${path}/a`, '1')
    t.strictSame(await watching.paths(), [`${path}/a`], 'made by a write')
    await another.write(`${path}/a`, '2')
    t.strictSame(await watching.paths(), [`${path}/a`], 'written')
    await another.write(`${path}/a`, '2')
    t.strictSame(await watching.paths(), [`${path}/a`], 'written as it was')
    await another.mkdir(`${path}/b`)
    t.strictSame(await watching.paths(), [`${path}/b`], 'made by mkdir')
    await another.mkdir(`${path}/b`)
    t.strictSame(await watching.paths(), [], 'mkdir of one that is there')
    await another.setPermissions(`${path}/b`, parsePermissions('r0'))
    t.strictSame(await watching.paths(), [`${path}/b`], 'permissions')
    await another.rm(`${path}/b`)
    t.strictSame(await watching.paths(), [`${path}/b`], 'removed')
    await another.rm(`${path}/b`)
    t.strictSame(await watching.paths(), [], 'removed when missing')
    await another.read(`${path}/a`)
    await another.directory(path)
    t.strictSame(await watching.paths(), [], 'looked at')
  },

  'one of the own connection': async (t, { store, path }) => {
    using watching = await Watching.start(t, store, path)
    await store.write(path, 'x')
    t.strictSame(await watching.paths(), [path])
  },

  'rm of a node above': async (t, { store, path }) => {
    await store.write(`${path}/a/b/c`, 'x')
    using watching = await Watching.start(t, store, `${path}/a/b`)
    await store.rm(path)
    t.strictSame(await watching.paths(), [`${path}/a/b`])
  },

  'rm tells of the removed node, not of each below': async (t, { store, path }) => {
    await store.write(`${path}/a/b/c`, 'x')
    using watching = await Watching.start(t, store, path)
    await store.rm(`${path}/a`)
    t.strictSame(await watching.paths(), [`${path}/a`])
  },

  'not of the nodes that a write makes above': async (t, { store, path }) => {
    using watching = await Watching.start(t, store, path)
    await store.write(`${path}/a/b/c`, 'x')
    t.strictSame(await watching.paths(), [`${path}/a/b/c`])
  },

  'not of what is beside or above': async (t, { store, path }) => {
    await store.write(`${path}/a/b`, 'x')
    using watching = await Watching.start(t, store, `${path}/a/b`)
    for (const other of [`${path}/a/bc`, `${path}/a`, path, `${path}/b`]) await store.write(other, 'y')
    t.strictSame(await watching.paths(), [])
  },

  'the root sees all': async (t, { store, path }) => {
    using watching = await Watching.start(t, store, '/')
    await store.write(`${path}/a`, 'x')
    t.strictSame(await watching.paths(), [`${path}/a`])
  },

  'a relative path has relative events': async (t, { store, path }) => {
    const name = path.slice(1)
    using watching = await Watching.start(t, store, name)
    await store.write(`/local/domain/0/${name}/a`, 'x')
    t.strictSame(await watching.paths(), [`${name}/a`])
  },

  'depth 0 is the node alone, 1 with its children': async (t, { store, path }) => {
    await store.write(`${path}/a/b`, 'x')
    using node = await Watching.start(t, store, path, { depth: 0 })
    using children = await Watching.start(t, store, path, { depth: 1 })
    await store.write(`${path}/a/b`, 'y')
    await store.write(`${path}/a`, 'y')
    await store.write(path, 'y')
    t.strictSame(await node.paths(), [path])
    t.strictSame(await children.paths(), [`${path}/a`, path])
  },

  'the same path twice': async (t, { store, path }) => {
    using one = await Watching.start(t, store, path)
    using two = await Watching.start(t, store, path)
    await store.write(path, 'x')
    t.strictSame(await one.paths(), [path])
    t.strictSame(await two.paths(), [path])
    one.watch[Symbol.dispose]()
    await store.write(path, 'y')
    t.strictSame(await two.paths(), [path])
  },

  'the same path and token twice on the wire': async (t, peers) => {
    const raw = await peers.raw()
    t.equal(await raw.ask('WATCH', `${peers.path}\0token\0`), 'OK')
    t.equal(await raw.ask('WATCH', `${peers.path}\0token\0`), 'EEXIST')
    t.equal(await raw.ask('WATCH', `${peers.path}\0other\0`), 'OK')
  },

  'the answer comes before the first event': async (t, peers) => {
    const raw = await peers.raw()
    await raw.ask('WATCH', `${peers.path}\0token\0`)
    await raw.ask('READ', '/\0')
    t.strictSame(raw.order, [1, 'event', 2])
    t.strictSame(raw.events, [`${peers.path} token`])
  },

  'an event comes before the answer to the change that it is of': async (t, peers) => {
    const raw = await peers.raw()
    await raw.ask('WATCH', `${peers.path}\0token\0`)
    await raw.ask('READ', '/\0')
    await raw.ask('WRITE', `${peers.path}/a\0x`)
    await raw.ask('READ', '/\0')
    t.strictSame(raw.events, [`${peers.path} token`, `${peers.path}/a token`])
    const [first, second] = peers.differs<(number | 'event')[]>(
      ['event', 3],
      { oxenstored: [3, 'event'] },
      'it answers first',
    )
    t.strictSame(raw.order, [1, 'event', 2, first, second, 4])
  },

  'a watch that is taken off tells no more': async (t, peers) => {
    const raw = await peers.raw()
    await raw.ask('WATCH', `${peers.path}\0token\0`)
    t.equal(await raw.ask('UNWATCH', `${peers.path}\0token\0`), 'OK')
    raw.events.length = 0
    await raw.ask('WRITE', `${peers.path}\0x`)
    await raw.ask('READ', '/\0')
    t.strictSame(raw.events, [])
    t.equal(await raw.ask('UNWATCH', `${peers.path}\0token\0`), 'ENOENT')
    t.equal(await raw.ask('UNWATCH', `${peers.path}\0none\0`), 'ENOENT')
  },

  'leaving the loop takes the watch off the daemon': async (t, { store, path }) => {
    for await (const event of store.watch(path)) {
      t.strictSame(event, { path, overflowed: false })
      break
    }
    t.equal(store.statistics.watches, 0)
  },

  'what a transaction changes is told when it commits': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.write(`${path}/old`, '1')
    using watching = await Watching.start(t, store, path)
    await another.transaction(async transaction => {
      await transaction.write(`${path}/old`, '2')
      await transaction.write(`${path}/new`, '3')
      await transaction.mkdir(`${path}/made`)
      t.strictSame(await watching.paths(), [])
    })
    t.strictSame(
      (await watching.paths()).sort(),
      ['made', 'new', 'old'].map(name => `${path}/${name}`),
    )
  },

  'what it removes and sets permissions of too': async (t, { store, path }) => {
    await store.write(`${path}/a`, '1')
    await store.write(`${path}/b`, '1')
    using watching = await Watching.start(t, store, path)
    await store.transaction(async transaction => {
      await transaction.rm(`${path}/a`)
      await transaction.setPermissions(`${path}/b`, parsePermissions('r0'))
    })
    t.strictSame((await watching.paths()).sort(), [`${path}/a`, `${path}/b`])
  },

  'what one that is dropped changes is never told': async (t, { store, path }) => {
    await store.mkdir(path)
    using watching = await Watching.start(t, store, path)
    const dropped = store.transaction(async transaction => {
      await transaction.write(`${path}/a`, 'x')
      throw new Error('no')
    })
    await t.rejects(dropped)
    t.strictSame(await watching.paths(), [])
  },

  'a watch set in a transaction is of all': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    for (const name of ['a', 'b']) await store.write(`${path}/${name}`, '1')
    const { attempts } = await store.transaction(async transaction => {
      await transaction.write(`${path}/a`, '2')
      using watching = await Watching.start(t, store, path)
      await another.write(`${path}/b`, '2')
      t.strictSame(await watching.paths(), [`${path}/b`])
    })
    t.equal(attempts, 1)
  },

  'resetWatches takes all off': async (t, { store, path }) => {
    const watch = store.watch(path)
    await watch.ready
    const transaction = store.transaction(async transaction => {
      await transaction.write(`${path}/in`, 'x')
      await store.resetWatches()
    })
    t.equal(await codeOf(transaction), 'EBADF')
    t.strictSame(await watch.next(), { done: false, value: { path, overflowed: false } })
    t.equal(await codeOf(watch.next()), 'EBADF')
    t.equal(await store.readIfPresent(`${path}/in`), undefined)
    t.equal(store.statistics.watches, 0)
    using watching = await Watching.start(t, store, path)
    await store.write(path, 'x')
    t.strictSame(await watching.paths(), [path], 'and new ones can be set')
  },

  'a guest hears of what it may read': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    await store.mkdir(path)
    using watching = await Watching.start(t, guest, path)
    await store.write(`${path}/hidden`, 'x')
    await store.write(`${path}/open`, 'x')
    t.strictSame(await watching.paths(), [])
    await store.setPermissions(`${path}/open`, parsePermissions(`n0,r${domid}`))
    t.strictSame(await watching.paths(), [`${path}/open`], 'when it may from now on')
    await store.write(`${path}/open`, 'y')
    t.strictSame(await watching.paths(), [`${path}/open`])
    await store.setPermissions(`${path}/open`, parsePermissions('n0'))
    t.strictSame(await watching.paths(), [`${path}/open`], 'when it may no longer')
  },

  'a guest watches its own place by a relative path': async (t, peers) => {
    const { store } = peers
    const { domid, store: guest } = await peers.guest()
    const home = `/local/domain/${domid}`
    await store.mkdir(home)
    await store.setPermissions(home, parsePermissions(`r${domid}`))
    using watching = await Watching.start(t, guest, 'device')
    await store.write(`${home}/device/vbd`, 'x')
    t.strictSame(await watching.paths(), ['device/vbd'])
    await store.setPermissions(`${home}/device`, parsePermissions(`n${domid}`))
    t.strictSame(await watching.paths(), ['device'])
    await guest.write('device/state', '4')
    t.strictSame(await watching.paths(), ['device/state'])
    t.equal(await store.read(`${home}/device/state`), '4')
  },

  'waiting for a value that another writes': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    const waited = store.waitForValue(path, ['4', '5'])
    const exists = store.waitUntilExists(`${path}/there`)
    for (const value of ['1', '2', '4']) await another.write(path, value)
    t.equal(await waited, '4')
    await another.write(`${path}/there`, 'yes')
    t.equal(await exists, 'yes')
    const gone = store.waitUntil(`${path}/there`, value => value === undefined)
    await another.rm(path)
    t.equal(await gone, undefined)
  },
}
