import t, { type Test } from 'tap'
import type { Xenstore } from '#xenlight/xenstore/index.js'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { connect } from '#xenlight/xenstore/node/connect.js'
import { startXenstored, type XenstoredKind } from '../real/xenstored.js'
import { realPart } from '../support/real-part.js'
import { soak } from './soak.js'

/** What domain 0 has: with C xenstored, the watches and transactions of sockets show in its memory only. */
const quotaOfDomain0 = (store: Xenstore) => store.control('quota', ['0'])

const used = {
  xenstored: quotaOfDomain0,
  oxenstored: async (store: Xenstore) => `${await quotaOfDomain0(store)}\n${await store.control('watches', [''])}`,
}

async function soakDaemon(t: Test, kind: XenstoredKind, requests: number): Promise<void> {
  const daemon = await realPart(t, () => startXenstored(kind))
  if (!daemon) return
  await using _ = daemon
  const soaked = { connect: () => connect({ path: daemon.path }), used: used[kind], pid: daemon.pid }
  await soak(t, soaked, requests)
}

t.test('200,000 requests to xenstored', t => soakDaemon(t, 'xenstored', 200_000))
t.test('50,000 requests to oxenstored', t => soakDaemon(t, 'oxenstored', 50_000))
t.test('50,000 requests to the embedded store', async t => {
  await using embedded = embeddedStore()
  await soak(t, { connect: async () => embedded.connect(), used: quotaOfDomain0 }, 50_000)
})
