import { type Cases, codeOf } from './case.js'

export const tree: Cases = {
  'a write makes the nodes above, which are empty': async (t, { store, path }) => {
    await store.write(`${path}/a/b/c`, 'x')
    for (const above of [path, `${path}/a`, `${path}/a/b`]) t.equal(await store.read(above), '')
    t.strictSame(await store.directory(`${path}/a`), ['b'])
  },

  'mkdir makes the nodes above too': async (t, { store, path }) => {
    await store.mkdir(`${path}/a/b`)
    t.equal(await store.read(`${path}/a/b`), '')
    t.strictSame(await store.directory(path), ['a'])
  },

  'mkdir leaves a node as it is': async (t, { store, path }) => {
    await store.write(path, 'kept')
    await store.write(`${path}/child`, 'too')
    await store.mkdir(path)
    t.equal(await store.read(path), 'kept')
    t.equal(await store.read(`${path}/child`), 'too')
  },

  'a node with children has a value of its own': async (t, { store, path }) => {
    await store.write(`${path}/child`, 'child')
    await store.write(path, 'parent')
    t.strictSame([await store.read(path), await store.read(`${path}/child`)], ['parent', 'child'])
  },

  'rm takes all that is below': async (t, { store, path }) => {
    await store.write(`${path}/a/b/c`, 'x')
    await store.write(`${path}/ab`, 'y')
    await store.rm(`${path}/a`)
    for (const gone of ['a', 'a/b', 'a/b/c']) t.equal(await store.readIfPresent(`${path}/${gone}`), undefined)
    t.equal(await store.read(`${path}/ab`), 'y')
    t.strictSame(await store.directory(path), ['ab'])
  },

  'a removed node comes back empty': async (t, { store, path }) => {
    await store.write(`${path}/a/b`, 'x')
    await store.rm(`${path}/a`)
    await store.mkdir(`${path}/a`)
    t.equal(await store.read(`${path}/a`), '')
    t.strictSame(await store.directory(`${path}/a`), [])
  },

  'rm of a missing node is no error, of one without a parent is': async (t, { store, path }) => {
    await store.mkdir(path)
    await store.rm(`${path}/none`)
    await t.rejects(store.rm(`${path}/none/below`), { code: 'ENOENT', operation: 'RM', path: `${path}/none/below` })
  },

  'the root cannot be removed': async (t, { store, path }) => {
    await store.write(path, 'x')
    const { requests } = store.statistics
    t.equal(await codeOf(store.rm('/')), 'EINVAL')
    t.equal(store.statistics.requests, requests, 'refused before it is sent: oxenstored would do it')
    t.equal(await store.read(path), 'x')
  },

  'the root can be read, listed and written': async (t, { store, path }) => {
    await store.mkdir(path)
    t.equal(await store.read('/'), '')
    t.ok((await store.directory('/')).includes(path.slice(1)))
    await store.write('/', 'root')
    t.equal(await store.read('/'), 'root')
    await store.write('/', '')
  },

  'a path that is relative is below the own domain': async (t, { store, path }) => {
    const name = path.slice(1)
    await store.write(`${name}/a`, 'x')
    t.equal(await store.read(`/local/domain/0/${name}/a`), 'x')
    t.strictSame(await store.directory(name), ['a'])
    await store.rm(name)
    t.equal(await store.readIfPresent(`/local/domain/0/${name}`), undefined)
  },

  'all characters of a path': async (t, { store, path }) => {
    const name = 'ABCxyz019-_@'
    await store.write(`${path}/${name}`, 'x')
    t.equal(await store.read(`${path}/${name}`), 'x')
    t.strictSame(await store.directory(path), [name])
  },

  'names that mean something to JavaScript are names': async (t, { store, path }) => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      t.equal(await store.readIfPresent(`${path}/${name}`), undefined)
      await store.write(`${path}/${name}/x`, name)
      t.equal(await store.read(`${path}/${name}/x`), name)
    }
    t.strictSame((await store.directory(path)).sort(), ['__proto__', 'constructor', 'toString'])
  },

  'a path that cannot be is refused before anything is sent': async (t, { store, path }) => {
    const { requests } = store.statistics
    for (const bad of ['', `${path}/`, `${path}//a`, `${path}/ä`, `${path}/a b`, `${path}/a.b`, `${path}\0`, '//']) {
      t.equal(await codeOf(store.read(bad)), 'EINVAL', JSON.stringify(bad))
      t.equal(await codeOf(store.write(bad, '')), 'EINVAL', JSON.stringify(bad))
      t.equal(await codeOf(store.mkdir(bad)), 'EINVAL', JSON.stringify(bad))
      t.equal(await codeOf(store.rm(bad)), 'EINVAL', JSON.stringify(bad))
      t.equal(await codeOf(store.directory(bad)), 'EINVAL', JSON.stringify(bad))
      t.equal(await codeOf(store.getPermissions(bad)), 'EINVAL', JSON.stringify(bad))
    }
    t.equal(store.statistics.requests, requests)
  },
}
