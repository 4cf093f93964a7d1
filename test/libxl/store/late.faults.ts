import t from 'tap'
import { addDisk, listDisks, nodeHost, parseDisk, removeDisk } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { busyPast } from '../../support/busy.js'
import { populate } from '../../support/disk-store.js'
import { onEachStore } from '../../support/each-store.js'
import { scriptedHost } from '../../support/played-disk.js'
import { settle } from '../../xenstore/fake-daemon.js'

// A disk that its backend took up in time is attached, and one that it closed in time is gone, even where this process was
// busy until the time was over.

const rounds = 200
const limit = 4000
const long = 60_000

const numbers = Array.from({ length: rounds }, (_, index) => index)
/** In the extended numbering, which has room for as many. */
const vdev = (index: number) => `d${16 + index}p0`
const devid = (index: number) => (1 << 28) | ((16 + index) << 8)
/** Every other one is served by the kernel, with a script, the others by QEMU. */
const isPhy = (index: number) => index % 2 === 0
const backend = (index: number) => `/local/domain/0/backend/${isPhy(index) ? 'vbd' : 'qdisk'}/11/${devid(index)}`

/** Waits until all the waiting has begun, each with a watch on its state and one on its link; where the machine is too slow for that, until it is over. */
async function untilQuiet(store: Xenstore, watches: number): Promise<void> {
  const end = performance.now() + limit
  const isQuiet = () => store.statistics.watches >= watches && store.statistics.inFlight + store.statistics.queued === 0
  while (!isQuiet() && performance.now() < end) await settle()
}

onEachStore(`no disk is lost, ${rounds} rounds`, async (t, connect) => {
  const store = await connect()
  const player = await connect()
  await populate(store, [{ domid: 11, type: 'pv' }])
  const host = scriptedHost(async ({ args, env: { XENBUS_PATH } }) => {
    if (args[0] === 'add') await player.write(`/local/domain/0/${XENBUS_PATH}/physical-device`, '7:0')
    return {}
  })
  const timeouts = { backend: limit, hotplug: long, settle: long }
  const play = (state: (index: number) => string) =>
    numbers.map(index => player.write(`${backend(index)}/state`, state(index)))

  const adding = numbers.map(index => {
    const disk = parseDisk(`/dev/vg/a,raw,${vdev(index)},w,backendtype=${isPhy(index) ? 'phy' : 'qdisk'}`)
    return addDisk(store, disk, { domid: 11, host, timeouts })
  })
  const added = Promise.allSettled(adding)
  await Promise.all(numbers.map(index => player.waitUntilExists(`${backend(index)}/state`)))
  await untilQuiet(store, 2 * rounds)
  const taken = play(index => (isPhy(index) ? '2' : '4'))
  await settle()
  busyPast(limit)
  await Promise.all(taken)
  await Promise.all(play(() => '4'))
  const lost = (await added).filter(({ status }) => status === 'rejected')
  t.strictSame(lost, [], 'attached')
  t.equal((await listDisks(store, 11)).length, rounds)

  const removing = numbers.map(index =>
    removeDisk(store, 11, vdev(index), { host, timeouts: { backend: limit, hotplug: long } }),
  )
  const removed = Promise.allSettled(removing)
  await Promise.all(numbers.map(index => player.waitForValue(`${backend(index)}/state`, '5')))
  await untilQuiet(store, 2 * rounds)
  const closed = play(() => '6')
  await settle()
  busyPast(limit)
  await Promise.all(closed)
  const left = (await removed).filter(
    result => result.status === 'rejected' || !result.value.closed || result.value.forced,
  )
  t.strictSame(left, [], 'removed')
  t.equal((await listDisks(store, 11)).length, 0)
  t.equal(store.statistics.watches, 0)
})

t.test('a script that ended in time has ended', async t => {
  const host = nodeHost()
  const call = { args: [], env: {}, timeout: 300 }
  const running = Array.from({ length: 20 }, () => host.runScript({ ...call, script: '/bin/true' }))
  const failing = host.runScript({ ...call, script: '/bin/sh', args: ['-c', 'echo why >&2; exit 3'] })
  const signal = AbortSignal.timeout(300)
  const signalled = host.runScript({ script: '/bin/true', args: [], env: {}, timeout: long, signal })
  busyPast(300)
  t.strictSame(await Promise.all(running), Array(20).fill({ status: 0, stderr: '' }))
  t.strictSame(await failing, { status: 3, stderr: 'why\n' })
  t.strictSame(await signalled, { status: 0, stderr: '' })
})
