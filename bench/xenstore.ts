import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { addDisks, parseDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { type Libxenstore, startLibxenstore } from '../test/real/libxenstore.js'
import { startXenstored, type Xenstored, type XenstoredKind } from '../test/real/xenstored.js'
import { goldenRows } from '../test/support/golden.js'
import { cpuTime } from './cpu-time.js'
import { median, table } from './statistics.js'
import { vdevOf } from './vdev-of.js'

const reads = 2000
const readRounds = 15
const guests = 20
const disksEach = 50
const disks = guests * disksEach
const attachRounds = 5
const firstDomid = 11
const domids = Array.from({ length: guests }, (_, index) => firstDomid + index)

interface WireRow {
  type: string
  spec: string
  requests: [name: string, rest: string][]
}

const kinds = ['xenstored', 'oxenstored'] as const

/** Our client beside libxenstore, by turns, at one and the same daemon. */
export async function benchXenstore(): Promise<string> {
  const rows = [['xenstore', 'libxenstore', 'xenlight', 'ratio', "the daemon's own time"]]
  for (const kind of kinds) {
    await using bench = await openBench(kind)
    const { store, libxenstore, daemon } = bench
    rows.push(await benchReads(`${kind}: µs a lone read`, store, libxenstore))
    rows.push(await benchPipelinedReads(kind, store, libxenstore, daemon))
    rows.push(await benchAttach(kind, store, libxenstore, daemon))
  }
  // last, as the kernel leaves them where they were
  for (const kind of kinds) {
    await using bench = await openBench(kind)
    const { store, libxenstore, daemon } = bench
    const name = `${kind}: µs a lone read on one processor`
    const pids = [process.pid, daemon.pid, libxenstore.pid]
    rows.push(await onOneProcessor(pids, () => benchReads(name, store, libxenstore)))
  }
  return table(rows)
}

async function openBench(kind: XenstoredKind) {
  const daemon = await startXenstored(kind)
  const store = await connect({ path: daemon.path })
  const libxenstore = startLibxenstore(daemon.path)
  for (const domid of domids) {
    await store.introduce({ domid, gfn: 1, eventChannel: 1 })
    await store.write(`/libxl/${domid}/type`, 'pv')
    await store.mkdir(`/local/domain/${domid}`)
  }
  const close = async () => {
    libxenstore[Symbol.dispose]()
    await store.close()
    await daemon.stop()
  }
  return { daemon, store, libxenstore, [Symbol.asyncDispose]: close }
}

async function benchReads(kind: string, store: Xenstore, libxenstore: Libxenstore): Promise<string[]> {
  await store.write('/bench/node', 'value')
  const pairs = await inTurn(
    readRounds,
    async () => (await libxenstore.read('/bench/node', reads)) / reads,
    async () => {
      const start = process.hrtime.bigint()
      for (let left = reads; left > 0; left--) await store.read('/bench/node')
      return Number(process.hrtime.bigint() - start) / reads
    },
  )
  const [real, ours, ratio] = summary(pairs)
  return [kind, micros(real), micros(ours), ratio.toFixed(2), '']
}

/** Where the kernel puts the processes says as much as what they do: on one processor each wakes the next one at once. */
async function onOneProcessor(pids: readonly number[], work: () => Promise<string[]>): Promise<string[]> {
  const pin = (processors: string) => {
    for (const pid of pids) execFileSync('taskset', ['-acp', processors, String(pid)], { stdio: 'ignore' })
  }
  pin('0')
  try {
    return await work()
  } finally {
    pin(`0-${availableParallelism() - 1}`)
  }
}

async function benchPipelinedReads(
  kind: string,
  store: Xenstore,
  libxenstore: Libxenstore,
  daemon: Xenstored,
): Promise<string[]> {
  let work = 0
  const pairs = await inTurn(
    readRounds,
    async () => (await libxenstore.read('/bench/node', reads)) / reads,
    async () => {
      const before = cpuTime(daemon)
      const start = process.hrtime.bigint()
      await Promise.all(Array.from({ length: reads }, () => store.read('/bench/node')))
      const taken = Number(process.hrtime.bigint() - start) / reads
      work += cpuTime(daemon) - before
      return taken
    },
  )
  const [real, ours, ratio] = summary(pairs)
  const own = (work / (readRounds + 1) / reads).toFixed(1)
  return [`${kind}: µs a read of 2,000 at once`, micros(real), micros(ours), ratio.toFixed(2), own]
}

/** Disks of PV guests, each from its spec to its committed transaction; libxenstore sends what libxl sends for them. */
async function benchAttach(
  kind: string,
  store: Xenstore,
  libxenstore: Libxenstore,
  daemon: Xenstored,
): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const file = join(directory, 'requests')
  await writeFile(file, requestsOfDisks())
  const specs = Array.from(
    { length: disksEach },
    (_, index) => `backendtype=phy,vdev=${vdevOf(index)},target=/dev/loop0`,
  )
  const host = {
    domid: 0,
    examine: async () => ({ target: 'block' as const }),
    createEmptyCdrom: async () => {},
    runScript: async () => ({ status: 0, stderr: '' }),
  }
  let work = 0
  const pairs = await inTurn(
    attachRounds,
    async () => {
      const taken = (await libxenstore.replay(file)) / disks
      await clear(store)
      return taken
    },
    async () => {
      const before = cpuTime(daemon)
      const start = process.hrtime.bigint()
      const attaching = domids.map(domid => {
        const options = { domid, domainType: 'pv', host, wait: false } as const
        return addDisks(
          store,
          specs.map(spec => parseDisk(spec)),
          options,
        )
      })
      await Promise.all(attaching)
      const taken = Number(process.hrtime.bigint() - start) / disks
      work += cpuTime(daemon) - before
      await clear(store)
      return taken
    },
  )
  await rm(directory, { recursive: true })
  const [real, ours, ratio] = summary(pairs)
  const own = (work / (attachRounds + 1) / disks).toFixed(0)
  return [`${kind}: µs a disk, 1,000 added`, micros(real, 0), micros(ours, 0), ratio.toFixed(2), own]
}

const devidOf = (index: number): number => (index < 16 ? (202 << 8) | (index << 4) : (1 << 28) | (index << 8))

/** The requests of libxl for one such disk, for a thousand. */
function requestsOfDisks(): string {
  const row = goldenRows<WireRow>('wire.jsonl').find(
    ({ spec }) => spec === 'backendtype=phy,vdev=xvda,target=/dev/loop0',
  )!
  const last = row.requests.findIndex(([name]) => name === 'TRANSACTION_END')
  const lines = row.requests.slice(0, last + 1).map(([name, rest]) => `${[name, ...rest.split(' ')].join('\t')}\n`)
  const one = lines.join('')
  const ofDisk = (index: number) =>
    one.replaceAll('51712', String(devidOf(index))).replaceAll('\txvda\n', `\t${vdevOf(index)}\n`)
  const ofGuest = Array.from({ length: disksEach }, (_, index) => ofDisk(index)).join('')
  return domids.map(domid => ofGuest.replace(/(?<=\/(?:domain|libxl|vbd)\/|\t[nr]?)11\b/g, String(domid))).join('')
}

async function clear(store: Xenstore): Promise<void> {
  await store.rm('/local/domain/0/backend')
  for (const domid of domids)
    for (const path of [`/libxl/${domid}`, `/local/domain/${domid}`]) await store.rm(`${path}/device`)
}

async function inTurn(
  rounds: number,
  real: () => Promise<number>,
  ours: () => Promise<number>,
): Promise<[real: number, ours: number][]> {
  const pairs: [number, number][] = []
  for (let round = 0; round <= rounds; round++) pairs.push([await real(), await ours()])
  return pairs.slice(1)
}

function summary(pairs: readonly [real: number, ours: number][]): [real: number, ours: number, ratio: number] {
  return [
    median(pairs.map(([real]) => real)),
    median(pairs.map(([, ours]) => ours)),
    median(pairs.map(([real, ours]) => ours / real)),
  ]
}

const micros = (nanoseconds: number, digits = 1): string => (nanoseconds / 1000).toFixed(digits)
