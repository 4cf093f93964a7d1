import { diskToNodes, listDisks, parseDisk, resolveDisk } from 'xenlight'
import { connect, memoryStore, type Xenstore } from 'xenlight/xenstore'
import { startXenstored } from '../test/real/xenstored.js'
import { cpuTime } from './cpu-time.js'
import { median, table } from './statistics.js'
import { vdevOf } from './vdev-of.js'

const disks = 1600
const broken = 20_000
const rounds = 5
const domid = 11
const brokenDomid = 12

/** All disks of a guest that has many, and of one that has only broken ones with the memory that these take. */
export async function benchListDisks(): Promise<string> {
  const rows = [
    [
      'listDisks',
      `ms, ${disks} disks`,
      "the daemon's own",
      'ratio',
      'requests a disk',
      `ms, ${broken} broken`,
      'RSS more',
    ],
  ]
  await using embedded = memoryStore()
  rows.push(['embedded store', ...(await benchStore(embedded))])
  // not oxenstored: it lists so many devices in a packet that is longer than the protocol allows
  await using daemon = await startXenstored('xenstored')
  await using store = await connect({ path: daemon.path })
  rows.push(['xenstored', ...(await benchStore(store, daemon))])
  return table(rows)
}

async function benchStore(store: Xenstore, daemon?: { pid: number }): Promise<string[]> {
  await populate(store)
  const times: number[] = []
  const { requests } = store.statistics
  let work = 0
  for (let round = 0; round < rounds; round++) {
    const before = daemon === undefined ? 0 : cpuTime(daemon)
    const start = performance.now()
    const listed = await listDisks(store, domid)
    times.push(performance.now() - start)
    work += daemon === undefined ? 0 : cpuTime(daemon) - before
    if (listed.filter(({ disk }) => disk !== undefined).length !== disks) throw new Error('not all disks were listed')
  }
  const each = (store.statistics.requests - requests) / rounds / disks
  const all = times.reduce((sum, time) => sum + time)
  const own = work === 0 ? ['', ''] : [(work / 1000 / rounds).toFixed(0), (all / (work / 1000)).toFixed(2)]
  return [
    median(times).toFixed(0),
    ...own,
    each.toFixed(1),
    ...(daemon === undefined ? await benchBroken(store) : ['', '']),
  ]
}

/** On the embedded store alone: a daemon takes minutes to make so many devices of one domain. */
async function benchBroken(store: Xenstore): Promise<string[]> {
  await breakDisks(store)
  const before = process.memoryUsage.rss()
  let highest = before
  const sampling = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }, 5)
  const start = performance.now()
  const listed = await listDisks(store, brokenDomid)
  const taken = performance.now() - start
  clearInterval(sampling)
  highest = Math.max(highest, process.memoryUsage.rss())
  if (listed.filter(({ error }) => error !== undefined).length !== broken) throw new Error('not all were listed')
  return [taken.toFixed(0), `${Math.round((highest - before) / 2 ** 20)} MiB`]
}

/** What is read of such disks, without a transaction for each: they are many. */
async function populate(store: Xenstore): Promise<void> {
  const environment = { domid, domainType: 'pv', target: 'block', domidOf: () => undefined } as const
  const writing = Array.from({ length: disks }, (_, index) => {
    const disk = resolveDisk(parseDisk(`vdev=${vdevOf(index)},target=/dev/loop0`), environment)
    const nodes = diskToNodes(disk, environment).filter(({ path }) => /^\/libxl\/|\/trusted$/.test(path))
    return nodes.map(({ path, value }) => store.write(path, value))
  })
  await Promise.all(writing.flat())
}

/** Devices without a link to a backend. */
async function breakDisks(store: Xenstore): Promise<void> {
  for (let start = 0; start < broken; start += 200) {
    const writing = Array.from({ length: 200 }, (_, index) =>
      store.write(`/libxl/${brokenDomid}/device/vbd/${start + index}/params`, ''),
    )
    await Promise.all(writing)
  }
}
