import type { Test } from 'tap'
import { type Cases, codeOf, type Peers } from './case.js'

const nameOf = (n: number, length = 8) => String(n).padStart(length, '0')
const names = (count: number, length?: number) => Array.from({ length: count }, (_, n) => nameOf(n, length))

const noParts = 'that of Xen 4.17 knows no DIRECTORY_PART, and breaks the protocol with a longer packet'

/** What becomes of a long list where there are no parts; true there. */
async function withoutParts(t: Test, peers: Peers): Promise<boolean> {
  const expected = peers.differs<unknown>(undefined, { oxenstored: 'EPROTO' }, noParts)
  if (expected === undefined) return false
  t.equal(await codeOf(peers.store.directory(peers.path)), expected)
  t.match(await peers.store.closed, { code: expected })
  const another = await peers.another()
  t.equal(await another.read(peers.path), '', 'a new connection works')
  return true
}

export const directory: Cases = {
  'the children of a node': async (t, { store, path }) => {
    for (const name of ['b', 'a', 'c']) await store.mkdir(`${path}/${name}`)
    t.strictSame((await store.directory(path)).sort(), ['a', 'b', 'c'])
  },

  'no children': async (t, { store, path }) => {
    await store.write(path, 'x')
    t.strictSame(await store.directory(path), [])
  },

  'of a missing node': async (t, { store, path }) => {
    await t.rejects(store.directory(path), { code: 'ENOENT', path })
  },

  '1,500 children come in parts': async (t, peers) => {
    const { store, path } = peers
    const children = names(1500)
    await Promise.all(children.map(name => store.mkdir(`${path}/${name}`)))
    if (await withoutParts(t, peers)) return
    const { requests } = store.statistics
    t.strictSame((await store.directory(path)).sort(), children)
    t.ok(store.statistics.requests - requests > 3, 'by several requests')
  },

  'as many as go into one packet, and one more': async (t, peers) => {
    const { store, path } = peers
    const children = names(512, 7)
    await Promise.all(children.map(name => store.mkdir(`${path}/${name}`)))
    const { requests } = store.statistics
    t.strictSame((await store.directory(path)).sort(), children)
    t.equal(store.statistics.requests - requests, 1, '512 times 8 bytes are 4096')
    await store.mkdir(`${path}/x`)
    if (await withoutParts(t, peers)) return
    t.strictSame((await store.directory(path)).sort(), [...children, 'x'])
  },

  'long names in parts': async (t, peers) => {
    const { store, path } = peers
    const children = names(100, 500)
    await Promise.all(children.map(name => store.mkdir(`${path}/${name}`)))
    if (await withoutParts(t, peers)) return
    t.strictSame((await store.directory(path)).sort(), children)
  },

  'many children in a transaction': async (t, peers) => {
    const { store, path } = peers
    const children = names(1200)
    await Promise.all(children.map(name => store.mkdir(`${path}/${name}`)))
    if (await withoutParts(t, peers)) return
    const { value } = await store.transaction(async transaction => {
      await transaction.rm(`${path}/${children[7]}`)
      await transaction.mkdir(`${path}/more`)
      return (await transaction.directory(path)).sort()
    })
    t.strictSame(value, ['more', ...children.filter((_, index) => index !== 7)].sort())
  },

  'a list that changes while it is read is one that was': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    const children = names(1200)
    await Promise.all(children.map(name => store.mkdir(`${path}/${name}`)))
    if (await withoutParts(t, peers)) return
    let reading = true
    const read = store.directory(path).finally(() => {
      reading = false
    })
    // Each step takes away the last child and adds the next: at any time there are 1,200, in a row.
    let step = 0
    for (; reading && step < 50; step++) {
      await another.transaction(async transaction => {
        await transaction.rm(`${path}/${nameOf(step)}`)
        await transaction.mkdir(`${path}/${nameOf(1200 + step)}`)
      })
    }
    const list = (await read).sort()
    const first = Number(list[0])
    t.strictSame(
      list,
      Array.from({ length: 1200 }, (_, n) => nameOf(first + n)),
    )
    t.ok(first <= step)
  },

  'parts as they are on the wire': async (t, peers) => {
    const raw = await peers.raw()
    await peers.store.mkdir(`${peers.path}/a`)
    await peers.store.mkdir(`${peers.path}/b`)
    const has = peers.differs(true, { oxenstored: false }, noParts)
    if (!has) {
      t.equal(await raw.ask('DIRECTORY_PART', `${peers.path}\x000\0`), 'ENOSYS')
      return
    }
    t.match(await raw.ask('DIRECTORY_PART', `${peers.path}\x000\0`), /^[0-9]+ a b $/)
    t.match(await raw.ask('DIRECTORY_PART', `${peers.path}\x002\0`), /^[0-9]+ b $/)
    t.match(await raw.ask('DIRECTORY_PART', `${peers.path}\x004\0`), /^[0-9]+ $/, 'behind the end')
  },

  'a part of a missing node, or of nothing': async (t, peers) => {
    const raw = await peers.raw()
    const [missing, nothing] = peers.differs(['ENOENT', 'EINVAL'], { oxenstored: ['ENOSYS', 'ENOSYS'] }, noParts)
    t.equal(await raw.ask('DIRECTORY_PART', `${peers.path}\x000\0`), missing)
    t.equal(await raw.ask('DIRECTORY_PART', `${peers.path}\0`), nothing)
  },
}
