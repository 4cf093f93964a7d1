import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { connect, embeddedStore, type Xenstore } from 'xenlight/xenstore'
import { startXenstored } from '../real/xenstored.js'
import { populate } from './disk-store.js'
import { realPart } from './real-part.js'

/** A store behind a socket, with a PV guest (11) and a driver domain (7). */
export interface SocketStore {
  path: string
  /** A new connection; closed with the test. */
  connect(options?: { path?: string; timeout?: number }): Promise<Xenstore>
}

/** Runs a test on the embedded store, on xenstored and on oxenstored, each reached through a socket. */
export function onEachSocket(t: Test, name: string, test: (t: Test, store: SocketStore) => Promise<void>): void {
  t.test(`${name}, embedded store`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'xenlight-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    await using embedded = embeddedStore({ domains: [7, 11] })
    await using listener = await embedded.listen(join(folder, 'socket'))
    await run(t, listener.path, test)
  })
  for (const kind of ['xenstored', 'oxenstored'] as const) {
    t.test(`${name}, ${kind}`, async t => {
      const daemon = await realPart(t, () => startXenstored(kind))
      if (!daemon) return
      await using _ = daemon
      await run(t, daemon.path, test)
    })
  }
}

async function run(t: Test, path: string, test: (t: Test, store: SocketStore) => Promise<void>): Promise<void> {
  const open: Xenstore[] = []
  const store: SocketStore = {
    path,
    async connect(options) {
      const one = await connect({ path, ...options })
      open.push(one)
      return one
    },
  }
  try {
    await populate(await store.connect(), [{ domid: 11, type: 'pv' }])
    await test(t, store)
  } finally {
    await Promise.all(open.map(one => one.close()))
  }
}
