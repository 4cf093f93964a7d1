import fc from 'fast-check'
import t from 'tap'
import { LeaseError } from 'xenlight/lease'
import { EtcdLeaseStore } from '#xenlight/lease/etcd/etcd-lease-store.js'
import type { Gateway } from '#xenlight/lease/etcd/gateway.js'
import { readReply, readStreamed } from '#xenlight/lease/etcd/gateway-reply.js'
import { LeaseKeys } from '#xenlight/lease/etcd/lease-keys.js'
import { readRange } from '#xenlight/lease/etcd/read-range.js'
import { readWatchReply } from '#xenlight/lease/etcd/watch-reply.js'
import { holds, holdsAsync } from '../../support/holds.js'
import { ModelProcess, World } from '../model/world.js'

t.test('a reply, as etcd 3.4 gives it', async t => {
  t.strictSame(readReply(200, '{"header":{"revision":"4"}}'), { header: { revision: '4' } })
  const gone =
    '{"error":"etcdserver: requested lease not found","message":"etcdserver: requested lease not found","code":5}'
  t.throws(() => readReply(404, gone), { code: 'refused', status: 5, message: 'etcdserver: requested lease not found' })
  const leaderless = '{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}'
  t.throws(() => readReply(503, leaderless), { code: 'unreachable', message: 'etcdserver: no leader' })
  t.throws(() => readReply(404, 'Not Found'), { code: 'protocol' })
  t.throws(() => readReply(500, '{}'), { code: 'protocol' })
  t.throws(() => readReply(400, '{"message":"a\\u001b[31m","code":3}'), { code: 'refused', message: 'a␛[31m' })
})

t.test('what a stream says, as etcd 3.4 says it', async t => {
  const created = readStreamed('{"result":{"header":{"revision":"4"},"created":true}}')
  t.strictSame(readWatchReply(created), { events: [], next: undefined })
  const put =
    '{"result":{"header":{"revision":"4"},"events":[{"kv":{"key":"Zm9v","create_revision":"2","mod_revision":"3","version":"1","value":"YmFy","lease":"12345"}}]}}'
  const event = { key: { key: 'foo', value: 'bar', modRevision: '3', lease: '12345' }, isRemoved: false }
  t.strictSame(readWatchReply(readStreamed(put)), { events: [event], next: 4n })
  const removed = readStreamed(
    '{"result":{"header":{"revision":"4"},"events":[{"type":"DELETE","kv":{"key":"Zm9v","mod_revision":"4"}}]}}',
  )
  t.match(readWatchReply(removed), { events: [{ isRemoved: true }], next: 5n })
  t.strictSame(
    readWatchReply(readStreamed('{"result":{"header":{"revision":"9"}}}')),
    { events: [], next: 10n },
    'progress',
  )
  const compacted = '{"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"3"}}'
  t.equal(readWatchReply(readStreamed(compacted)), 'compacted')
  t.throws(() => readWatchReply({ header: {}, canceled: true, cancel_reason: 'permission denied' }), {
    code: 'refused',
    message: 'a watch is not granted: permission denied',
  })
  const error =
    '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}'
  t.throws(() => readStreamed(error), { code: 'unreachable', message: 'etcdserver: no leader' })
  for (const line of ['', 'x', '{}', '[]', 'null', '{"error":null}'])
    t.throws(() => readStreamed(line), { code: 'protocol' })
})

const isOurs = (error: unknown): boolean => error instanceof LeaseError

/** JSON that often has the fields that are looked at. */
const names = ['header', 'revision', 'succeeded', 'responses', 'response_range', 'kvs', 'key', 'value', 'mod_revision']
const more = ['lease', 'ID', 'TTL', 'more', 'events', 'kv', 'type', 'canceled', 'compact_revision', 'created']
const { reply } = fc.letrec(tie => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('0', '7', 'YQ==', '-1', '99999999999999999999', true, false, null, 3, ''),
    fc.dictionary(fc.constantFrom(...names, ...more), tie('reply')),
    fc.array(tie('reply'), { maxLength: 3 }),
  ),
}))

t.test('whatever JSON comes is read or refused as what it is', t => {
  holds(
    t,
    fc.property(reply, value => {
      try {
        readWatchReply(value)
      } catch (error) {
        if (!isOurs(error)) throw error
      }
    }),
    { numRuns: 3000 },
  )
  t.end()
})

t.test('no reply makes the store fail in any other way, or go on for ever', async t => {
  const property = fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 6 }), async replies => {
    const { clock } = new ModelProcess(new World(), 1, 0)
    let asked = 0
    const gateway: Gateway = {
      ask: async () => {
        if (++asked > 1000) throw new Error('it asks for ever')
        return replies[asked % replies.length]
      },
      watch() {
        throw new Error('not watched')
      },
    }
    const store = new EtcdLeaseStore(gateway, clock, new LeaseKeys())
    const grant = { name: 'x', holder: 'y', epoch: 1, attempt: 'z', ttl: 2000, since: 0, token: '1/2' }
    const all = [
      () => store.look('x'),
      () => store.acquire('x', { holder: 'y', ttl: 2000 }),
      () => store.renew(grant),
      () => store.release(grant),
      () => readRange(gateway, { key: 'a', end: 'b' }),
    ]
    for (const one of all) {
      asked = 0
      await one().catch(error => {
        if (!isOurs(error)) throw error
      })
    }
  })
  await holdsAsync(t, property, { numRuns: 1500 })
})
