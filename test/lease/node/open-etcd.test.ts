import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { type Etcd, holdLease, type LeaseError, type LeaseState, type LeaseStore, openEtcd } from 'xenlight/lease'
import { followRange } from '#xenlight/lease/etcd/follow-range.js'
import { readRange } from '#xenlight/lease/etcd/read-range.js'
import { EtcdCluster as ClusterGateway } from '#xenlight/lease/node/etcd-cluster.js'
import { readEndpoint } from '#xenlight/lease/node/etcd-endpoint.js'
import { EtcdMember } from '#xenlight/lease/node/etcd-member.js'
import { systemClock } from '#xenlight/lease/node/system-clock.js'
import { eventually } from '../../protocol-d/eventually.js'
import { newAuthority } from '../../replication/node/certificates.js'
import { realPart } from '../../support/real-part.js'
import { type EtcdCluster, startEtcd } from './etcd-daemons.js'

const ttl = 2000

/** Runs a test on a cluster of one. */
const onEtcd = (name: string, run: (t: Test, etcd: Etcd, cluster: EtcdCluster) => Promise<void>) =>
  t.test(name, t =>
    realPart(t, async () => {
      const cluster = await startEtcd(t)
      using etcd = openEtcd(cluster.options)
      await run(t, etcd, cluster)
    }),
  )

/** Keeps what a watch of the lease web says. */
function watched(leases: LeaseStore) {
  const all: LeaseState[] = []
  const over = new AbortController()
  const ended = (async () => {
    for await (const state of leases.watch('web', { signal: over.signal })) all.push(state)
  })().catch(error => error as LeaseError)
  return {
    all,
    has: (epoch: number, holder?: string) =>
      eventually(
        `the watch says that ${holder} has it`,
        () => all.some(state => state.epoch === epoch && state.holder === holder),
        () => JSON.stringify(all),
      ),
    /** Ends it. @returns its error */
    end: () => {
      over.abort(new Error('enough'))
      return ended
    },
  }
}

onEtcd('a lease has one holder at a time, each in a higher epoch', async (t, { leases }) => {
  t.strictSame(await leases.look('web'), { name: 'web', holder: undefined, epoch: 0 })
  const watch = watched(leases)
  await watch.has(0)

  const anna = await holdLease(leases, 'web', { holder: 'anna', ttl })
  t.equal(anna.epoch, 1)
  t.ok(anna.isHeld())
  await watch.has(1, 'anna')
  await t.rejects(leases.acquire('web', { holder: 'berta', ttl }), {
    name: 'LeaseError',
    code: 'taken',
    message: 'anna has the lease web, in epoch 1',
  })
  t.equal((await leases.acquire('other', { holder: 'berta', ttl })).epoch, 1, 'each name has epochs of its own')

  await eventually('it was renewed past its ttl', () => anna.renewals > 4)
  t.strictSame(await leases.look('web'), { name: 'web', holder: 'anna', epoch: 1 })
  const waiting = holdLease(leases, 'web', { holder: 'berta', ttl, wait: true })
  await anna.release()
  t.notOk(anna.isHeld())
  t.equal(anna.state, 'released')
  const berta = await waiting
  t.equal(berta.epoch, 2)
  await watch.has(2, 'berta')
  await berta.release()
  await watch.has(2)
  t.strictSame(
    watch.all.map(({ epoch, holder }) => `${epoch} ${holder}`),
    ['0 undefined', '1 anna', '1 undefined', '2 berta', '2 undefined'],
    'a renewal is no change',
  )
  t.match(await watch.end(), { code: 'canceled', cause: { message: 'enough' } })
})

onEtcd(
  'a lease that nobody renews ends, and its epoch does not come again, after a restart of etcd too',
  async (t, { leases }, cluster) => {
    const watch = watched(leases)
    const grant = await leases.acquire('web', { holder: 'anna', ttl })
    await watch.has(1, 'anna')
    await watch.has(1)
    await t.rejects(leases.renew(grant), {
      code: 'lost',
      message: "the lease web of epoch 1 is another's, or has ended",
    })
    await leases.release(grant)
    const second = await leases.acquire('web', { holder: 'anna', ttl })
    t.equal(second.epoch, 2)

    const [member] = cluster.members
    await member!.end()
    member!.start()
    await cluster.answers()
    t.strictSame(await leases.look('web'), { name: 'web', holder: 'anna', epoch: 2 }, 'a restart ends no lease')
    const third = await leases.renew(second)
    t.equal(third.epoch, 2)
    await leases.release(third)
    t.equal((await leases.acquire('web', { holder: 'berta', ttl })).epoch, 3)
    await watch.has(3, 'berta')
    t.match(await watch.end(), { code: 'canceled' })
  },
)

onEtcd('the epoch is above what the resource has seen', async (t, { leases }) => {
  const grant = await leases.acquire('web', { holder: 'anna', ttl, above: 41 })
  t.equal(grant.epoch, 42)
  await leases.release(grant)
  t.equal((await leases.acquire('web', { holder: 'anna', ttl, above: 7 })).epoch, 43)
})

onEtcd('an attempt that was made before finds that it has it', async (t, { leases }) => {
  const options = { holder: 'anna', ttl, attempt: 'f00d' }
  const lost = await leases.acquire('web', options)
  const found = await leases.acquire('web', options)
  t.equal(found.epoch, lost.epoch)
  await t.rejects(leases.acquire('web', { holder: 'anna', ttl }), { code: 'taken' }, 'another attempt has it not')
  await leases.renew(found)
})

onEtcd('nothing is left in etcd of leases that were released', async (t, { leases }, cluster) => {
  for (let round = 0; round < 3; round++) {
    const keeper = await holdLease(leases, 'web', { holder: 'anna', ttl })
    await eventually('it is renewed', () => keeper.renewals > 0)
    await keeper.release()
  }
  const [member] = cluster.members
  const left = async () => {
    const reply = await fetch(`${member!.endpoint}/v3/lease/leases`, { method: 'POST', body: '{}' })
    return ((await reply.json()) as { leases?: unknown[] }).leases ?? []
  }
  await eventually(
    'no lease is left',
    async () => (await left()).length === 0,
    () => 'some are',
  )
  t.strictSame(await left(), [])
})

onEtcd('records are written by the holder of their lease alone', async (t, { leases, catalogue }) => {
  const over = new AbortController()
  const changes: string[] = []
  void (async () => {
    for await (const { name, key, value } of catalogue.watch(undefined, { signal: over.signal }))
      changes.push(`${name}/${key} ${JSON.stringify(value)}`)
  })().catch(() => {})
  const grant = await leases.acquire('web', { holder: 'anna', ttl: 60_000 })
  await catalogue.put(grant, 'place', { host: 'anna', disks: ['root', 'däta'] })
  const record = { name: 'web', key: 'place', value: { host: 'anna', disks: ['root', 'däta'] }, epoch: 1 }
  t.strictSame(await catalogue.get('web', 'place'), record)
  t.equal(await catalogue.get('web', 'nothing'), undefined)
  t.equal(await catalogue.get('we', 'place'), undefined)
  const renewed = await leases.renew(grant)
  await catalogue.put(renewed, 'place', 'renewed')
  await catalogue.put(grant, 'place', 'renewed again')

  await leases.release(renewed)
  await t.rejects(catalogue.put(grant, 'place', 'late'), { code: 'lost' })
  const other = await leases.acquire('web', { holder: 'berta', ttl: 60_000 })
  await t.rejects(catalogue.put(renewed, 'place', 'late'), { code: 'lost', message: /place was not written/ })
  await t.rejects(catalogue.remove(renewed, 'place'), { code: 'lost' })
  t.match(await catalogue.get('web', 'place'), { value: 'renewed again', epoch: 1 })
  await catalogue.put(other, 'place', null)
  t.match(await catalogue.get('web', 'place'), { value: null, epoch: 2 })
  await catalogue.remove(other, 'place')
  await catalogue.remove(other, 'place')
  const said = [
    'web/place {"host":"anna","disks":["root","däta"]}',
    ...['web/place "renewed"', 'web/place "renewed again"', 'web/place null', 'web/place undefined'],
  ]
  await eventually(
    'the watch has said all',
    () => changes.length >= said.length,
    () => changes.join('\n'),
  )
  t.strictSame(changes, said)
  over.abort()
})

onEtcd('many records are listed in pages, of one lease or of all', async (t, { leases, catalogue }) => {
  const [a, b] = [
    await leases.acquire('a', { holder: 'anna', ttl: 60_000 }),
    await leases.acquire('b', { holder: 'anna', ttl: 60_000 }),
  ]
  const long = 'x'.repeat(60_000)
  for (let record = 100; record < 220; record++) await catalogue.put(a, `record-${record}`, long)
  await catalogue.put(b, 'one', 1)
  t.equal((await catalogue.list('a')).length, 120)
  t.strictSame(await catalogue.list('b'), [{ name: 'b', key: 'one', value: 1, epoch: 1 }])
  const all = await catalogue.list()
  t.strictSame(
    all.map(({ key }) => key),
    [...Array.from({ length: 120 }, (_, index) => `record-${index + 100}`), 'one'],
  )
  t.ok(all.every(({ name, value }) => name === 'b' || value === long))
  await t.rejects(catalogue.put(a, 'more', 'x'.repeat(70_000)), RangeError)
})

onEtcd('where what was missed is forgotten, all is read anew', async (t, { leases }, { members: [member] }) => {
  for (const holder of ['anna', 'berta']) await leases.release(await leases.acquire('web', { holder, ttl: 60_000 }))
  const compaction = { method: 'POST', body: JSON.stringify({ revision: '4', physical: true }) }
  t.ok((await fetch(`${member!.endpoint}/v3/kv/compaction`, compaction)).ok)
  const own = new EtcdMember(readEndpoint('endpoint', member!.endpoint), undefined)
  const gateway = new ClusterGateway([own], { clock: systemClock, tryTimeout: 1000, timeout: 5000 })
  t.teardown(() => gateway.close())
  const range = { key: '/xenlight/epoch/web' }
  let revision = '1'
  const readAll = async () => {
    const { keys } = await readRange(gateway, range)
    const as = { revision, keys }
    revision = '3'
    return as
  }
  const said: unknown[] = []
  for await (const update of followRange({ gateway, clock: systemClock, range, readAll })) {
    said.push('keys' in update ? update.keys.map(({ value }) => value) : update.events.map(({ key }) => key.value))
    if (said.length === 3) break
  }
  t.strictSame(said, [['2'], ['2'], ['2']], 'all, all again, and what happened in revision 4')
})

t.test('with TLS each side shows a certificate', t =>
  realPart(t, async () => {
    const authority = newAuthority(t)
    const cluster = await startEtcd(t, { authority })
    using etcd = openEtcd(cluster.options)
    const watch = watched(etcd.leases)
    const keeper = await holdLease(etcd.leases, 'web', { holder: 'anna', ttl })
    await watch.has(1, 'anna')
    await eventually('it is renewed', () => keeper.renewals > 1)
    await keeper.release()
    t.match(await watch.end(), { code: 'canceled' })

    const stranger = newAuthority(t)
    const options = { ...cluster.options, timeout: 500 }
    using unknown = openEtcd({ ...options, tls: { ...stranger.sign('client'), ca: cluster.options.tls!.ca } })
    await t.rejects(unknown.leases.look('web'), { code: 'unreachable' }, 'etcd does not take it')
    using deceived = openEtcd({ ...options, tls: { ...cluster.options.tls!, ca: stranger.sign('x').ca } })
    await t.rejects(
      deceived.leases.look('web'),
      { code: 'unreachable', message: /self-signed|certificate/ },
      'nor we etcd',
    )
  }),
)

t.test('a member that is not there, or does not speak, costs one try', t =>
  realPart(t, async () => {
    const cluster = await startEtcd(t)
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    t.teardown(() => silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const endpoints = [`http://127.0.0.1:${port}`, 'http://127.0.0.1:1', ...cluster.options.endpoints]
    using etcd = openEtcd({ endpoints, tryTimeout: 100 })
    const keeper = await holdLease(etcd.leases, 'web', { holder: 'anna', ttl })
    await keeper.release()
    using nobody = openEtcd({ endpoints: endpoints.slice(0, 2), tryTimeout: 50, timeout: 300 })
    await t.rejects(nobody.leases.look('web'), {
      code: 'unreachable',
      message:
        /^no member of etcd answers to kv\/txn: 127\.0\.0\.1:\d+: not done within 50 ms; 127\.0\.0\.1:1: connect ECONNREFUSED/,
    })
    const aborted = AbortSignal.abort(new Error('enough'))
    await t.rejects(nobody.leases.look('web', { signal: aborted }), { code: 'canceled' })
  }),
)
