import t, { type Test } from 'tap'
import { addDisks, type DiskEvent, diskEvents, parseDisk, removeDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { startXenstored } from '../../real/xenstored.js'
import { populate, treeAt } from '../../support/disk-store.js'
import { playBackend, scriptedHost } from '../../support/played-disk.js'
import { realPart } from '../../support/real-part.js'

const names = ['xvda', 'xvdb', 'xvdc', 'xvdd', 'xvde', 'xvdf', 'xvdg', 'hdc']
const specs = names.map(name =>
  name === 'hdc' ? '/cd.iso,raw,hdc,cdrom,backendtype=qdisk' : `/dev/vg/a,raw,${name},w`,
)

/** Attached, ejected, detached: with a played backend, and what is told of it. */
async function lives(t: Test, as: () => Promise<Xenstore>): Promise<void> {
  const store = await as()
  await populate(store, [{ domid: 11, type: 'pv' }])
  const roots = ['/local/domain', '/libxl']
  const before = await treeAt(store, roots)

  const watcher = await as()
  const told: DiskEvent[] = []
  const listening = (async () => {
    for await (const event of diskEvents(watcher, 11)) {
      told.push(event)
      if (told.filter(({ type }) => type === 'removed').length === names.length) break
    }
  })()

  const backend = await as()
  for (const [index, spec] of specs.entries()) {
    const kind = spec.includes('qdisk') ? 'qdisk' : 'vbd'
    const devid = names[index] === 'hdc' ? 5632 : 51712 + 16 * index
    const path = `/local/domain/0/backend/${kind}/11/${devid}`
    playBackend(t, backend, path)
  }
  const host = scriptedHost(async ({ args, env: { XENBUS_PATH } }) => {
    const path = `/local/domain/0/${XENBUS_PATH}`
    if (args[0] === 'add') await store.write(`${path}/physical-device`, '7:0')
    return {}
  })
  const timeouts = { backend: 60_000, hotplug: 60_000, settle: 60_000 }
  const attached = await addDisks(
    store,
    specs.map(spec => parseDisk(spec)),
    { domid: 11, host, timeouts },
  )
  t.strictSame(
    attached.map(({ disk }) => disk.vdev),
    names,
  )

  const { frontend } = attached.at(-1)!.device.paths
  await (await as()).write(`${frontend}/eject`, 'eject')
  await store.waitForValue(`${frontend}/eject`, '', { timeout: 60_000 })

  const removed = await Promise.all(names.map(name => removeDisk(store, 11, name, { host, timeouts })))
  t.ok(removed.every(({ closed, forced }) => closed && !forced))
  await listening
  t.strictSame(await treeAt(store, roots), before, 'nothing is left')
  const all = [...names].sort()
  const of = (type: string) =>
    told
      .filter(event => event.type === type)
      .map(({ vdev }) => vdev)
      .sort()
  t.strictSame([of('added'), of('eject'), of('removed'), of('error')], [all, ['hdc'], all, []])
  t.equal(store.statistics.watches + watcher.statistics.watches, 0)
}

t.test('in the embedded store', async t => {
  const embedded = embeddedStore({ domains: [7, 11] })
  t.teardown(() => embedded.close())
  await lives(t, async () => embedded.connect())
})

for (const kind of ['xenstored', 'oxenstored'] as const) {
  t.test(`in ${kind}`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind))
    if (!daemon) return
    await using _ = daemon
    const stores: Xenstore[] = []
    await lives(t, async () => {
      const store = await connect({ path: daemon.path })
      stores.push(store)
      return store
    })
    await Promise.all(stores.map(store => store.close()))
  })
}
