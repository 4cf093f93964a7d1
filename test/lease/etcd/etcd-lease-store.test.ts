import t from 'tap'
import { LeaseError } from 'xenlight/lease'
import { EtcdCatalogue } from '#xenlight/lease/etcd/etcd-catalogue.js'
import { EtcdLeaseStore } from '#xenlight/lease/etcd/etcd-lease-store.js'
import type { Gateway, GatewayPath } from '#xenlight/lease/etcd/gateway.js'
import { LeaseKeys } from '#xenlight/lease/etcd/lease-keys.js'
import { ModelEtcd } from '../model/model-etcd.js'
import { ModelProcess, World } from '../model/world.js'

/** What becomes of a request. */
type Fate = 'answered' | 'lost' | 'answer lost' | 'twice'

const silence = () => new LeaseError('unreachable', 'nobody answers')

/** A store on an etcd in memory; the test says what becomes of the next requests of a kind. */
function scripted() {
  const world = new World()
  const { clock } = new ModelProcess(world, 1, 0)
  const etcd = new ModelEtcd(() => world.time)
  const fates: { path: GatewayPath; fate: Fate }[] = []
  /** Requests that are under way still, and done when the test says so. */
  const late: (() => void)[] = []
  const gateway: Gateway = {
    async ask(path, body) {
      const place = fates.findIndex(one => one.path === path)
      const fate = place < 0 ? 'answered' : fates.splice(place, 1)[0]!.fate
      const ask = () => structuredClone(etcd.ask(path, body))
      if (fate === 'answered') return ask()
      if (fate === 'twice') {
        ask()
        return ask()
      }
      if (fate === 'answer lost') ask()
      else
        late.push(() => {
          try {
            ask()
          } catch {
            // nobody hears it
          }
        })
      throw silence()
    },
    watch() {
      throw new Error('not watched')
    },
  }
  const keys = new LeaseKeys()
  return {
    world,
    etcd,
    fates,
    late,
    store: new EtcdLeaseStore(gateway, clock, keys),
    catalogue: new EtcdCatalogue(gateway, clock, keys),
  }
}

const options = { holder: 'anna', ttl: 5000 }
const isHeldBy = async (store: EtcdLeaseStore) => (await store.look('web')).holder

/** The second transaction is the one that takes the lease: the first looks. */
const look = { path: 'kv/txn', fate: 'answered' } as const

for (const fate of ['lost', 'answer lost'] as const)
  t.test(`an acquisition whose request is ${fate} is nobody's: it fails, and ends before its ttl`, async t => {
    const { world, etcd, fates, late, store } = scripted()
    fates.push(look, { path: 'kv/txn', fate })
    await t.rejects(store.acquire('web', options), { code: 'unreachable' })
    await new Promise(setImmediate)
    for (const request of late) request()
    t.equal(await isHeldBy(store), undefined, 'its lease was revoked')
    t.equal(etcd.leases, 0)
    // also where that does not come through
    fates.push(look, { path: 'kv/txn', fate }, { path: 'lease/revoke', fate: 'lost' })
    await t.rejects(store.acquire('web', options), { code: 'unreachable' })
    for (const request of late.slice(0, -1)) request()
    await world.run(5000, () => {})
    t.equal(await isHeldBy(store), undefined)
    t.ok((await store.acquire('web', { holder: 'berta', ttl: 5000 })).epoch > (fate === 'lost' ? 0 : 1))
  })

t.test('an attempt that is made again finds what it has', async t => {
  const { fates, store } = scripted()
  fates.push(look, { path: 'kv/txn', fate: 'answer lost' }, { path: 'lease/revoke', fate: 'lost' })
  await t.rejects(store.acquire('web', { ...options, attempt: 'one' }), { code: 'unreachable' })
  const grant = await store.acquire('web', { ...options, attempt: 'one' })
  t.match(grant, { epoch: 1, attempt: 'one' })
  await t.rejects(store.acquire('web', { ...options, attempt: 'two' }), { code: 'taken' })
  t.equal((await store.renew(grant)).epoch, 1)
})

t.test('what is done twice is done once', async t => {
  const { etcd, fates, store, catalogue } = scripted()
  fates.push(look, { path: 'kv/txn', fate: 'twice' })
  const grant = await store.acquire('web', options)
  t.equal(grant.epoch, 1)
  fates.push({ path: 'kv/txn', fate: 'twice' })
  const renewed = await store.renew(grant)
  t.equal((await store.renew(renewed)).epoch, 1)
  fates.push(look, { path: 'kv/txn', fate: 'twice' })
  await catalogue.put(renewed, 'place', 1)
  t.match(await catalogue.get('web', 'place'), { value: 1 })
  fates.push({ path: 'kv/txn', fate: 'twice' })
  await store.release(renewed)
  t.equal(etcd.value('/xenlight/holder/web'), undefined)
  t.equal(etcd.value('/xenlight/epoch/web'), '1')
})

t.test('a renewal whose answer is lost is found by the next one, and never ends the lease before', async t => {
  const { world, fates, store } = scripted()
  const grant = await store.acquire('web', options)
  await world.run(2000, () => {})
  fates.push({ path: 'kv/txn', fate: 'answer lost' })
  await t.rejects(store.renew(grant), { code: 'unreachable' })
  await new Promise(setImmediate)
  t.equal(await isHeldBy(store), 'anna')
  await world.run(4999, () => {})
  t.equal(await isHeldBy(store), 'anna', 'the first grant is good until its end')
  const renewed = await store.renew(grant)
  t.match(renewed, { epoch: 1, since: 4999 })
  await world.run(9998, () => {})
  t.equal(await isHeldBy(store), 'anna')
})

t.test('a renewal that comes late changes nothing', async t => {
  const { world, fates, late, store } = scripted()
  const grant = await store.acquire('web', options)
  fates.push({ path: 'kv/txn', fate: 'lost' })
  await t.rejects(store.renew(grant), { code: 'unreachable' })
  await world.run(3000, () => {})
  await store.renew(grant)
  for (const request of late) request()
  await world.run(7999, () => {})
  t.equal(await isHeldBy(store), 'anna', 'it is not put back on the lease before')
  await world.run(8000, () => {})
  t.equal(await isHeldBy(store), undefined)
  await t.rejects(store.renew(grant), { code: 'lost' })
  const next = await store.acquire('web', { holder: 'berta', ttl: 5000 })
  t.equal(next.epoch, 2)
  await store.release(grant)
  t.equal(await isHeldBy(store), 'berta', 'nor does a release that comes late')
})

t.test('a record that is written late does not come after a later one', async t => {
  const { fates, late, store, catalogue } = scripted()
  const grant = await store.acquire('web', options)
  fates.push(look, { path: 'kv/txn', fate: 'lost' })
  await t.rejects(catalogue.put(grant, 'place', 'early'), { code: 'unreachable' })
  await catalogue.put(grant, 'place', 'later')
  for (const request of late) request()
  t.match(await catalogue.get('web', 'place'), { value: 'later' })
})

t.test('what others wrote in its place is no lease', async t => {
  const { etcd, store, catalogue } = scripted()
  for (const value of [
    '',
    'x',
    '{}',
    'null',
    '{"holder":"x","attempt":"y","epoch":0}',
    '{"holder":1,"attempt":"y","epoch":1}',
  ]) {
    etcd.write('/xenlight/holder/web', value)
    await t.rejects(store.look('web'), { code: 'protocol' }, JSON.stringify(value))
    await t.rejects(store.acquire('web', options), { code: 'protocol' })
  }
  for (const value of ['', '-1', 'x', '0', '9007199254740991', '1.5']) {
    etcd.write('/xenlight/epoch/other', value)
    await t.rejects(store.acquire('other', options), { code: 'protocol' }, JSON.stringify(value))
  }
  for (const value of ['', '[]', '{"epoch":1,"write":"x"}', '{"epoch":"1","write":"x","value":1}']) {
    etcd.write('/xenlight/record/web/place', value)
    await t.rejects(catalogue.get('web', 'place'), { code: 'protocol' }, JSON.stringify(value))
  }
  etcd.write('/xenlight/record/web/place', '{"epoch":1,"write":"x","value":1}')
  etcd.write('/xenlight/record/web/a/b', '{"epoch":1,"write":"x","value":1}')
  t.match(await catalogue.get('web', 'place'), { value: 1 })
  etcd.write('/xenlight/record/we b/place', '{"epoch":1,"write":"x","value":1}')
  await t.rejects(catalogue.list(), { code: 'protocol' })
})
