import t, { type Test } from 'tap'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { startXenstored } from '../real/xenstored.js'
import { realPart } from './real-part.js'

/** Opens one more connection of domain 0; it is closed after the test. */
export type Connect = (options?: { timeout?: number }) => Promise<Xenstore>

/** Runs a test on the embedded store, on xenstored and on oxenstored. */
export function onEachStore(what: string, test: (t: Test, connect: Connect) => Promise<void>): void {
  t.test(`${what}: the embedded store`, async t => {
    await using embedded = embeddedStore({ domains: [7, 11] })
    await test(t, async options => embedded.connect(options))
  })
  for (const kind of ['xenstored', 'oxenstored'] as const) {
    t.test(`${what}: ${kind}`, async t => {
      const daemon = await realPart(t, () => startXenstored(kind))
      if (!daemon) return
      await using _ = daemon
      const stores: Xenstore[] = []
      await test(t, async options => {
        const store = await connect({ path: daemon.path, ...options })
        stores.push(store)
        return store
      })
      await Promise.all(stores.map(store => store.close()))
    })
  }
}
