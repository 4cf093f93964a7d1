import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Watch, Xenstore } from '#xenlight/xenstore/index.js'
import { collectGarbage } from '../support/kept-memory.js'

/** What is soaked. */
export interface Soaked {
  connect(): Promise<Xenstore>
  /** What the store itself says that is in use: nodes, watches, transactions, or the memory that they take. */
  used(store: Xenstore): Promise<string>
  /** The process that the store is, if another. */
  pid?: number
}

const clientCount = 8
const counters = ['a', 'b', 'c']
const base = '/soak'

/** Eight clients that get in each other's way until they have sent so many requests; then looks for what is lost or left. */
export async function soak(t: Test, soaked: Soaked, requests: number): Promise<void> {
  const clients: Xenstore[] = []
  for (let n = 0; n < clientCount; n++) clients.push(await soaked.connect())
  const [first] = clients as [Xenstore]
  const before = await soaked.used(first)

  for (const name of counters) await first.write(`${base}/counters/${name}`, '0')
  for (let n = 0; n < 100; n++) await first.write(`${base}/shared/${n}`, `value ${n}`)
  const lives = clients.map(client => new LiveWatch(client.watch(`${base}/counters`)))
  await Promise.all(lives.map(live => live.watch.ready))
  t.not(await soaked.used(first), before, 'the store counts what is in use')

  const sent = () => clients.reduce((sum, { statistics }) => sum + statistics.requests, 0)
  const memory: { heap: number; resident: number }[] = []
  const tally = { committed: 0, attempts: 0, events: 0 }
  for (const until of [requests / 4, requests / 2, requests]) {
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; sent() < until; round++) await oneRound(client, index, round, tally)
      }),
    )
    collectGarbage()
    memory.push({ heap: process.memoryUsage().heapUsed, resident: residentOf(soaked.pid) })
  }

  let total = 0
  for (const name of counters) total += Number(await first.read(`${base}/counters/${name}`))
  t.equal(total, tally.committed, 'no increment is lost, and none is done twice')
  t.ok(tally.attempts > tally.committed * 1.2, 'a good part of the increments met another')
  await first.write(`${base}/counters/end`, '')
  await Promise.all(lives.map(live => live.saw(`${base}/counters/end`)))

  for (const { watch } of lives) watch[Symbol.dispose]()
  await first.rm(base)
  for (const client of clients) {
    await client.getDomainPath(0)
    t.match(client.statistics, { inFlight: 0, queued: 0, late: 0, watches: 0, transactions: 0 })
  }
  t.equal(await soaked.used(first), before, 'nothing is left in the store')

  const [, half, whole] = memory as [unknown, (typeof memory)[number], (typeof memory)[number]]
  t.ok(whole.heap < half.heap * 1.5 + 8e6, `the heap is flat: ${half.heap}, then ${whole.heap}`)
  t.ok(whole.resident <= half.resident * 1.25 + 8e6, `the store's is too: ${half.resident}, then ${whole.resident}`)
  const conflicts = tally.attempts - tally.committed
  t.comment(`${sent()} requests, ${tally.committed} increments, ${conflicts} conflicts, ${tally.events} events`)
  await Promise.all(clients.map(client => client.close()))
}

async function oneRound(
  client: Xenstore,
  index: number,
  round: number,
  tally: { committed: number; attempts: number; events: number },
): Promise<void> {
  const own = `${base}/own/${index}`
  const work: Promise<unknown>[] = []
  for (let n = 0; n < 40; n++) work.push(client.read(`${base}/shared/${(index * 13 + round * 7 + n) % 100}`))
  for (let n = 0; n < 20; n++) work.push(client.write(`${own}/n${(round + n) % 50}`, `${round}-${n}`))
  for (let n = 0; n < 5; n++) work.push(client.mkdir(`${own}/directory/${n}/below`))
  work.push(client.directory(`${base}/shared`), client.getPermissions(own), client.rm(`${own}/directory`))
  work.push(client.waitForValue(`${own}/last`, String(round)), client.write(`${own}/last`, String(round)))
  work.push(seeOne(client, `${own}/n0`, tally))
  for (const name of counters) {
    const path = `${base}/counters/${name}`
    const increment = client.transaction(
      async transaction => transaction.write(path, String(Number(await transaction.read(path)) + 1)),
      { attempts: 10_000 },
    )
    work.push(
      increment.then(({ attempts }) => {
        tally.committed++
        tally.attempts += attempts
      }),
    )
  }
  await Promise.all(work)
}

/** A watch that is left after its first event. */
async function seeOne(client: Xenstore, path: string, tally: { events: number }): Promise<void> {
  for await (const _ of client.watch(path)) {
    tally.events++
    return
  }
}

/** A watch that is read all the time. */
class LiveWatch {
  readonly watch: Watch
  readonly #seen = new Set<string>()
  #waiting: (() => void) | undefined

  constructor(watch: Watch) {
    this.watch = watch
    void this.#read()
  }

  async saw(path: string): Promise<void> {
    while (!this.#seen.has(path)) {
      await new Promise<void>(resolve => {
        this.#waiting = resolve
      })
    }
  }

  async #read(): Promise<void> {
    for await (const { path } of this.watch) {
      this.#seen.add(path)
      this.#waiting?.()
    }
  }
}

/** In bytes. */
function residentOf(pid: number | undefined): number {
  if (pid === undefined) return 0
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}
