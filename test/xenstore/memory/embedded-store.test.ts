import t from 'tap'
import { type EmbeddedStore, embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { RawClient } from './raw-client.js'

const clientOf = (store: EmbeddedStore, domid = 0) => new RawClient(store.duplex(domid))

t.test('a guest does what permissions let it', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  const guest = clientOf(store, 7)
  t.equal(await admin.ask('IS_DOMAIN_INTRODUCED', '7\0'), 'T', 'introduced by its client')
  const nodes = {
    '/local/domain/7': ['n7'],
    '/readable': ['n0', 'r7'],
    '/writable': ['n0', 'w7'],
    '/default': ['r0', 'n7'],
    '/all': ['b0'],
    '/none': ['n0'],
  }
  for (const [path, permissions] of Object.entries(nodes)) {
    await admin.ask('WRITE', `${path}\0value`)
    t.equal(await admin.ask('SET_PERMS', `${[path, ...permissions].join('\0')}\0`), 'OK')
  }
  const cases: [operation: Parameters<RawClient['ask']>[0], payload: string, answer: string][] = [
    ['READ', '/readable\0', 'value'],
    ['WRITE', '/readable\0x', 'EACCES'],
    ['READ', '/writable\0', 'EACCES'],
    ['WRITE', '/writable\0x', 'OK'],
    ['READ', '/default\0', 'EACCES'],
    ['READ', '/all\0', 'value'],
    ['READ', '/none\0', 'EACCES'],
    ['READ', '/missing\0', 'EACCES'],
    ['READ', '/readable/missing\0', 'ENOENT'],
    ['READ', '/none/missing\0', 'EACCES'],
    ['RM', '/all\0', 'OK'],
    ['WRITE', 'own/node\0x', 'OK'],
    ['GET_PERMS', '/local/domain/7/own/node\0', 'n7'],
    ['SET_PERMS', 'own/node\0n7\0r0\0', 'OK'],
    ['SET_PERMS', 'own/node\0n0\0', 'EPERM'],
    ['SET_PERMS', '/readable\0n7\0', 'EACCES'],
    ['MKDIR', '/writable/below\0', 'OK'],
    ['GET_PERMS', '/writable/below\0', 'n7\0w7'],
    ['CONTROL', 'quota\0', 'EACCES'],
    ['INTRODUCE', '8\x001\x001\0', 'EACCES'],
    ['RELEASE', '7\0', 'EACCES'],
    ['SET_QUOTA', 'nodes\x005\0', 'EACCES'],
    ['GET_FEATURE', '', '4'],
    ['GET_FEATURE', '7\0', 'EACCES'],
    ['GET_DOMAIN_PATH', '7\0', '/local/domain/7'],
  ]
  for (const [operation, payload, answer] of cases) {
    t.equal(await guest.ask(operation, payload), answer, `${operation} ${JSON.stringify(payload)}`)
  }
})

t.test('a target gives its rights, until it is released', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  const guest = clientOf(store, 7)
  const model = clientOf(store, 8)
  await admin.ask('WRITE', '/a\0value')
  await admin.ask('SET_PERMS', '/a\0n7\0')
  t.equal(await model.ask('READ', '/a\0'), 'EACCES')
  t.equal(await admin.ask('SET_TARGET', '8\x007\0'), 'OK')
  t.equal(await model.ask('READ', '/a\0'), 'value')
  t.equal(await admin.ask('SET_TARGET', '8\x009\0'), 'ENOENT')

  await admin.ask('WATCH', '@releaseDomain\0t\0')
  await admin.ask('WATCH', '/a\0u\0')
  await admin.seen()
  t.equal(await admin.ask('RELEASE', '7\0'), 'OK')
  await guest.closed
  t.strictSame(await admin.seen(), ['/a u', '@releaseDomain t'], 'its nodes go with it')
  const again = clientOf(store, 7)
  await admin.ask('WRITE', '/b\0value')
  t.equal(await again.ask('READ', '/b\0'), 'EACCES')
  t.equal(await model.ask('READ', '/b\0'), 'EACCES')
})

t.test('a domain that gets the number of a former one has none of its rights', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  clientOf(store, 7)
  await admin.ask('WRITE', '/a\0value')
  await admin.ask('SET_PERMS', '/a\0n0\0r7\0')
  await admin.ask('RELEASE', '7\0')
  const other = clientOf(store, 7)
  t.equal(await other.ask('READ', '/a\0'), 'EACCES')
  await admin.ask('SET_PERMS', '/a\0n0\0r7\0')
  t.equal(await other.ask('READ', '/a\0'), 'value')
})

t.test('where only some domains exist', async t => {
  await using store = embeddedStore({ domains: [7] })
  const admin = clientOf(store)
  await admin.ask('WRITE', '/a\0')
  t.equal(await admin.ask('SET_PERMS', '/a\0n7\0r9\0'), 'OK')
  t.equal(await admin.ask('SET_PERMS', '/a\0n9\0'), 'ENOENT')
  t.equal(await admin.ask('INTRODUCE', '9\x001\x001\0'), 'EINVAL')
  const nine = clientOf(store, 9)
  t.equal(await nine.ask('READ', '/a\0'), 'EACCES', 'permissions given before it came do not count')
  t.throws(() => store.connect({ domid: 0x7ff0 }), { name: 'XenstoreError', code: 'EINVAL' })
})

t.test('quotas of a guest', async t => {
  await using store = embeddedStore({ quotas: { nodes: 3, watches: 2, transactions: 1, 'node-permissions': 2 } })
  const admin = clientOf(store)
  const guest = clientOf(store, 7)
  const second = clientOf(store, 7)
  await admin.ask('MKDIR', '/local/domain/7\0')
  await admin.ask('SET_PERMS', '/local/domain/7\0n7\0')

  t.equal(await guest.ask('WRITE', 'a/b/c\0'), 'ENOSPC', 'three, and it has one already')
  t.equal(await guest.ask('READ', 'a\0'), 'ENOENT', 'none of them')
  t.equal(await guest.ask('WRITE', 'a/b\0'), 'OK')
  t.equal(await second.ask('MKDIR', 'c\0'), 'ENOSPC')
  t.equal(await admin.ask('CONTROL', 'quota\x007\0').then(text => /nodes +: +(\d+)/.exec(text)?.[1]), '3')
  t.equal(await guest.ask('WRITE', `a\0${'x'.repeat(2100)}`), 'ENOSPC')

  t.equal(await guest.ask('WATCH', 'a\0t\0'), 'OK')
  t.equal(await second.ask('WATCH', 'a\0t\0'), 'OK')
  t.equal(await guest.ask('WATCH', 'a\0u\0'), 'E2BIG')
  second.close()
  t.equal(await guest.ask('WATCH', 'a\0u\0'), 'OK', 'what is gone does not count')

  t.equal(await guest.ask('SET_PERMS', 'a\0n7\0r1\0r2\0'), 'ENOSPC')
  t.equal(await guest.ask('TRANSACTION_START', '\0'), '1')
  t.equal(await guest.ask('TRANSACTION_START', '\0'), 'ENOSPC')
  t.equal(await guest.ask('WRITE', `a\0${'x'.repeat(2100)}`, 1), 'ENOSPC')
  t.equal(await guest.ask('TRANSACTION_END', 'T\0', 1), 'ENOMEM', 'a transaction with a failed change')

  t.equal(await guest.ask('RM', 'a\0'), 'OK')
  t.equal(await guest.ask('TRANSACTION_START', '\0'), '2')
  t.equal(await guest.ask('WRITE', 'x\0', 2), 'OK')
  t.equal(await guest.ask('WRITE', 'a/b\0', 2), 'ENOSPC')
  t.equal(await guest.ask('WRITE', 'y\0', 2), 'OK')
  t.equal(await guest.ask('WRITE', 'z\0', 0), 'OK')
  t.equal(await guest.ask('TRANSACTION_END', 'T\0', 2), 'ENOSPC', 'too many by now')

  t.equal(
    await admin.ask('GET_QUOTA', ''),
    'nodes watches transactions transaction-nodes node-permissions path-max node-size',
  )
  t.equal(await admin.ask('GET_QUOTA', 'nodes\0'), '3')
  t.equal(await admin.ask('SET_QUOTA', '7\0nodes\x000\0'), 'OK')
  t.equal(await admin.ask('GET_QUOTA', '7\0nodes\0'), '0')
  t.equal(await guest.ask('WRITE', 'a/b/c/d/e/f\0'), 'OK', '0 is no limit')
  for (const name of ['__proto__', 'toString', 'soft-nodes', '']) {
    t.equal(await admin.ask('SET_QUOTA', `${name}\x001\0`), 'EINVAL', name)
  }
})

t.test('features', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  t.equal(await admin.ask('GET_FEATURE', '5\0'), '4')
  t.equal(await admin.ask('SET_FEATURE', '5\x008\0'), 'EINVAL')
  t.equal(await admin.ask('SET_FEATURE', '5\x000\0'), 'OK')
  const guest = clientOf(store, 5)
  t.equal(await guest.ask('GET_FEATURE', ''), '0')
  t.equal(await guest.ask('WATCH', '/a\0t\x001\0'), 'EINVAL', 'no depth without the feature')
  t.equal(await admin.ask('SET_FEATURE', '5\x004\0'), 'EBUSY')
})

t.test('how deep a watch looks', async t => {
  await using store = embeddedStore()
  const client = clientOf(store)
  const watches = ['/a\0all\0', '/a\0zero\x000\0', '/a\0one\x001\0', '/\0root\x001\0', '/a\0two\x002\0']
  for (const watch of watches) t.equal(await client.ask('WATCH', watch), 'OK')
  t.equal(await client.ask('WATCH', '/a\0minus\0-1\0'), 'EINVAL')
  await client.seen()
  const told = async (path: string) => {
    await client.ask('WRITE', `${path}\0`)
    return (await client.seen()).map(event => event.split(' ')[1]).join(' ')
  }
  t.equal(await told('/a'), 'all zero one root two')
  t.equal(await told('/a/b'), 'all one two')
  t.equal(await told('/a/b/c'), 'all two')
  t.equal(await told('/a/b/c/d'), 'all')
  t.equal(await told('/ab'), 'root')
})

t.test('special watches', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  const guest = clientOf(store, 7)
  for (const client of [admin, guest]) {
    t.equal(await client.ask('WATCH', '@introduceDomain\0t\0'), 'OK')
    t.equal(await client.ask('WATCH', '@releaseDomain/9\0nine\0'), 'OK')
    t.equal(await client.ask('WATCH', '@releaseDomain\0any\x001\0'), 'OK')
    t.equal((await client.seen()).length, 3)
  }
  await admin.ask('SET_PERMS', '@releaseDomain\0n0\0r7\0')
  for (const client of [admin, guest]) await client.seen()
  await admin.ask('INTRODUCE', '9\x001\x001\0')
  await admin.ask('RELEASE', '9\0')
  t.strictSame(await admin.seen(), ['@introduceDomain t', '@releaseDomain/9 nine', '@releaseDomain/9 any'])
  t.strictSame(await guest.seen(), ['@releaseDomain/9 nine', '@releaseDomain/9 any'])
})

t.test('a large directory comes in parts', async t => {
  await using store = embeddedStore()
  const client = clientOf(store)
  const names = Array.from({ length: 1000 }, (_, index) => `name-${index}`)
  for (const name of names) await client.ask('WRITE', `/a/${name}\0`)
  t.equal(await client.ask('DIRECTORY', '/a\0'), 'E2BIG')
  let all = ''
  while (!all.endsWith('\0\0')) {
    const { payload } = await client.request('DIRECTORY_PART', `/a\0${all.length}\0`)
    t.ok(payload.length <= 4096)
    all += payload.slice(payload.indexOf('\0') + 1)
  }
  t.strictSame(all.slice(0, -2).split('\0'), names)
})

t.test('the deepest tree there can be', async t => {
  await using store = embeddedStore()
  const client = clientOf(store)
  const path = '/a'.repeat(1024)
  t.equal(await client.ask('WRITE', `${path}\0value`), 'OK')
  t.equal(await client.ask('WRITE', `${path}/a\0value`), 'EINVAL')
  t.equal(await client.ask('READ', `${path}\0`), 'value')
  t.equal(await client.ask('RM', '/a\0'), 'OK')
  t.match(await client.ask('CONTROL', 'quota\x000\0'), /nodes +: +3\n/)
})

t.test('who leaves takes its watches and transactions along', async t => {
  await using store = embeddedStore()
  const admin = clientOf(store)
  for (let round = 0; round < 3; round += 1) {
    const client = clientOf(store)
    await client.ask('WATCH', '/a\0t\0')
    await client.ask('TRANSACTION_START', '\0')
    await client.ask('WRITE', '/a\0', 1)
    t.match(await admin.ask('CONTROL', 'quota\x000\0'), /watches +: +1\ntransactions +: +1\n/)
    client.close()
    await client.closed
    t.match(await admin.ask('CONTROL', 'quota\x000\0'), /nodes +: +3\nwatches +: +0\ntransactions +: +0\n/)
  }
})

t.test('the client works on it', async t => {
  await using store = embeddedStore()
  const one = store.connect()
  const two = store.connect()
  await one.write('/count', '0')
  const raise = (client: typeof one) =>
    client.transaction(async transaction => {
      await transaction.write('/count', String(Number(await transaction.read('/count')) + 1))
    })
  const results = await Promise.all(Array.from({ length: 20 }, (_, index) => raise(index % 2 === 0 ? one : two)))
  t.equal(await one.read('/count'), '20')
  t.ok(
    results.some(({ attempts }) => attempts > 1),
    'there were conflicts',
  )

  const found = one.waitForValue('/state', '4')
  await two.write('/state', '3')
  await two.write('/state', '4')
  t.equal(await found, '4')
  t.equal(await one.getFeature(), 4)
  const guest = store.connect({ domid: 3 })
  await t.rejects(guest.read('/state'), { code: 'EACCES', operation: 'READ', path: '/state' })
  await one.release(3)
  t.match(await guest.closed, { code: 'ECONNRESET' })
})
