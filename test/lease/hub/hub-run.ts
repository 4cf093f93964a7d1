import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openEtcd } from 'xenlight/lease'
import { connectNbd } from 'xenlight/nbd'
import type { HubStatus } from 'xenlight/replication'
import { eventually } from '../../protocol-d/eventually.js'
import { Teardowns } from '../../protocol-d/teardowns.js'
import { askControl } from '../../replication/ask-control.js'
import { projectRoot } from '../../support/project-root.js'
import type { Random } from '../../support/random.js'
import type { EtcdCluster, EtcdDaemon } from '../node/etcd-daemons.js'
import { HubHost } from './hub-host.js'
import { countOf, NumberedWriter, numberedSize } from './numbered-writer.js'

const ttl = 3000
/** How long a service may be away, in milliseconds; not a promise, but what ends a run that would never end. */
const backWithin = 60_000

export type HubFault =
  | 'killed'
  | 'ended'
  | 'stopped'
  | 'stopped until another serves'
  | 'cut off etcd'
  | 'standby killed'
  | 'member killed'
  | 'member stopped'
const allFaults: readonly HubFault[] = [
  ...(['killed', 'ended', 'stopped', 'stopped until another serves', 'cut off etcd'] as const),
  ...(['standby killed', 'member killed', 'member stopped'] as const),
]

export interface HubRunOptions {
  cluster: EtcdCluster
  /** Those that may happen. All by default. */
  only?: readonly HubFault[] | undefined
  /** How many of them. 3 to 5 by default: a hub with a planted bug may never stand by again. */
  count?: number | undefined
  /** Modules that the hubs load first. */
  planted?: readonly string[] | undefined
}

export interface HubReport {
  hubs: number
  faults: readonly string[]
  /** How long nobody served after each fault that took the lease away, in milliseconds. */
  away: readonly number[]
  /** How many writes the recovery guest was told are durable, and the protected one; how many checkpoints were confirmed. */
  recovered: number
  written: number
  checkpoints: number
}

/**
 * Hubs over one folder under a lease, of which some are killed, stopped and cut off at random; an agent with a guest that writes numbers, and a recovery
 * guest on a branch. In the end all that either was told is durable is there, each checkpoint that was confirmed is one of its moments, and the claims are
 * in order.
 *
 * @throws Error where anything is not so
 */
export async function hubRun(
  random: Random,
  { cluster, only = allFaults, count, planted = [] }: HubRunOptions,
): Promise<HubReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hubs-'))
  const at = (name: string) => join(folder, name)
  await using stack = new Teardowns()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['run', 'copies']) mkdirSync(at(name))
  writeFileSync(at('root'), '')
  truncateSync(at('root'), numberedSize)
  using etcd = openEtcd(cluster.options)
  const { endpoints } = cluster.options
  const hubs: HubHost[] = []
  for (let most = 2 + random.int(2); hubs.length < most; )
    hubs.push(stack.use(await HubHost.start(`hub-${hubs.length}`, { folder, endpoints, ttl, planted })))
  /** A hub that is stopped does not answer, and is not waited for. */
  const statusOf = (hub: HubHost): Promise<HubStatus | undefined> =>
    Promise.race([
      askControl<HubStatus>(at(`${hub.name}.ctl`), 'hub', 'hub').catch(() => undefined),
      delay(500, undefined, { ref: false }),
    ])
  /** The one that etcd knows to have the lease, and that serves. */
  const holder = async (): Promise<HubHost | undefined> => {
    const { holder } = await etcd.leases.look('copies').catch(() => ({ holder: undefined }))
    const hub = hubs.find(({ pid }) => holder?.includes(`(process ${pid})`) === true)
    return hub !== undefined && (await statusOf(hub))?.lease?.state === 'held' ? hub : undefined
  }
  const words = () => hubs.map(({ name, ends, said }) => `${name} (${ends.join(' ')}): ${said.slice(-600)}`).join('\n')
  const untilHeld = async (isIt: (hub: HubHost) => boolean = () => true): Promise<HubHost> => {
    let found: HubHost | undefined
    await eventually(
      'a hub serves',
      async () => {
        const hub = await holder()
        found = hub !== undefined && isIt(hub) ? hub : undefined
        await delay(20)
        return found !== undefined
      },
      words,
      backWithin,
    )
    return found!
  }
  await untilHeld()
  const where = ['--hub', hubs.map(({ agents }) => agents).join(','), '--state', at('state'), '--run', at('run')]
  const agent = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      process.execPath,
      join(projectRoot, 'dist/repagent/main.js'),
      'protect',
      'web',
      'root=root',
      ...where,
      '--name',
      'anna',
      '--control',
      at('agent.ctl'),
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  stack.defer(() => agent.kill('SIGKILL'))
  const untilProtected = () =>
    eventually(
      'the group is protected',
      async () => {
        const hub = await holder()
        const status = hub && (await statusOf(hub))
        await delay(50)
        return status?.groups.some(group => group.name === 'web' && group.state === 'protected') === true
      },
      words,
      backWithin,
    )
  const ask = <Result>(hub: HubHost, execute: string, given: object) =>
    askControl<Result>(at(`${hub.name}.ctl`), 'hub', execute, given)
  await untilProtected()
  await ask(await untilHeld(), 'test', { group: 'web', branch: 'look' })
  const guest = new NumberedWriter([at('run/web.root.sock')], 'web/root')
  const recovered = new NumberedWriter(
    hubs.map(({ nbd }) => nbd),
    'web/look/root',
  )
  /** How many writes there were, at least, when a checkpoint was asked for, and at most when it was confirmed. */
  const confirmed = new Map<string, { from: number; to: number }>()
  const over = new AbortController()
  const checkpoints = (async () => {
    for (let number = 1; !over.signal.aborted; number++) {
      const from = guest.durable
      const name = `c${number}`
      try {
        await askControl(at('agent.ctl'), 'agent', 'checkpoint', { group: 'web', name })
        confirmed.set(name, { from, to: guest.durable + 1 })
      } catch {
        // the hub is away
      }
      await delay(200)
    }
  })()
  stack.use({
    async [Symbol.asyncDispose]() {
      over.abort()
      // a hub that is stopped answers nobody
      await Promise.all(hubs.map(hub => hub[Symbol.asyncDispose]()))
      await Promise.all([guest.end(), recovered.end(), checkpoints])
    },
  })
  await eventually('both guests write', () => guest.durable > 20 && recovered.durable > 20, words, backWithin)

  const faults: string[] = []
  const away: number[] = []
  for (let left = count ?? 3 + random.int(3); left > 0; left--) {
    await delay(random.int(1500))
    const hub = await untilHeld()
    const fault = random.pick(only)
    faults.push(fault)
    const began = performance.now()
    const { pid } = hub
    /** Until another one, or another process of it, serves. */
    const untilBack = async () => {
      await untilHeld(one => one !== hub || one.pid !== pid)
      const time = performance.now() - began
      away.push(time)
      faults[faults.length - 1] += ` (${(time / 1000).toFixed(1)} s)`
    }
    switch (fault) {
      case 'killed':
      case 'ended':
        hub.signal(fault === 'killed' ? 'SIGKILL' : 'SIGTERM')
        await untilBack()
        break
      case 'stopped':
        hub.signal('SIGSTOP')
        await delay(random.int(2 * ttl))
        hub.signal('SIGCONT')
        break
      case 'stopped until another serves':
        hub.signal('SIGSTOP')
        await untilBack()
        await delay(random.int(1000))
        hub.signal('SIGCONT')
        // what it does now is what is looked for
        await delay(1000)
        break
      case 'cut off etcd':
        hub.cutOff()
        await untilBack()
        hub.join()
        break
      case 'standby killed':
        random.pick(hubs.filter(one => one !== hub)).signal('SIGKILL')
        break
      default:
        await strike(random.pick(cluster.members), fault, random.int(2 * ttl), cluster)
    }
  }
  const last = await untilHeld()
  // whatever a hub without the lease has confirmed goes with it
  for (const hub of hubs) if (hub !== last) await hub[Symbol.asyncDispose]()
  await untilProtected()
  await delay(1000)
  over.abort()
  await guest.end()
  await recovered.end()
  await checkpoints
  await untilProtected()
  const problems: string[] = []
  const check = (what: string, problem: string | undefined) =>
    problem !== undefined && problems.push(`${what}: ${problem}`)
  const disk = await connectNbd({ path: last.nbd }, { export: 'web/look/root', timeout: 20_000 })
  await recovered.check(disk)
  await disk.disconnect()
  check('the recovery guest', recovered.problem)
  check('the guest', guest.problem)
  const named = new Set((await ask<{ name?: string }[]>(last, 'points', { group: 'web' })).map(({ name }) => name))
  for (const name of confirmed.keys()) if (!named.has(name)) check(name, 'it was confirmed, and is no moment')
  const all = [...confirmed.keys()].filter(name => named.has(name))
  for (const name of [all[0], random.pick(all), random.pick(all), all.at(-1)].filter(one => one !== undefined))
    check(name, await atCheckpoint(last, ask, name, confirmed.get(name)!))
  await askControl(at('agent.ctl'), 'agent', 'checkpoint', { group: 'web', name: 'end' })
  check('the end', await atCheckpoint(last, ask, 'end', { from: guest.durable, to: guest.durable + 1 }))
  check('the claims', claimsProblem(at('copies')))
  if (problems.length > 0) throw new Error(`${problems.join('; ')}: after ${faults.join(', ')}\n${words()}`)
  return {
    hubs: hubs.length,
    faults,
    away,
    recovered: recovered.durable,
    written: guest.durable,
    checkpoints: confirmed.size,
  }
}

/** A member of etcd is gone for a time, and is whole again. */
async function strike(member: EtcdDaemon, fault: HubFault, time: number, cluster: EtcdCluster): Promise<void> {
  if (fault === 'member killed') {
    await member.end()
    await delay(time)
    member.start()
  } else {
    member.signal('SIGSTOP')
    await delay(time)
    member.signal('SIGCONT')
  }
  await cluster.answers()
}

/** What is wrong with a moment that was confirmed. */
async function atCheckpoint(
  hub: HubHost,
  ask: <Result>(hub: HubHost, execute: string, given: object) => Promise<Result>,
  name: string,
  { from, to }: { from: number; to: number },
): Promise<string | undefined> {
  await ask(hub, 'test', { group: 'web', branch: 'judged', at: { name } })
  try {
    const disk = await connectNbd({ path: hub.nbd }, { export: 'web/judged/root', timeout: 20_000 })
    const count = countOf(await disk.read(0, numberedSize))
    await disk.disconnect()
    return count < from || count > to ? `it has ${count} writes, of ${from} that were confirmed` : undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    await ask(hub, 'discard', { group: 'web', branch: 'judged' })
  }
}

/** What is wrong with who claimed what: each claim of the group is that of a hub, and what is there of its data is of the newest two. */
function claimsProblem(data: string): string | undefined {
  const hubs = readdirSync(join(data, 'terms')).filter(name => /^\d{10}$/.test(name))
  const group = readdirSync(join(data, 'groups/web'))
  const claims = group.flatMap(name => Number(/^owner-(\d{10})$/.exec(name)?.[1] ?? []))
  const terms = group.flatMap(name => (/^[1-9]\d*$/.test(name) ? [Number(name)] : []))
  const newest = Math.max(...claims)
  if (!hubs.map(Number).includes(newest)) return `nobody of ${hubs} has claimed the group's term ${newest}`
  if (!existsSync(join(data, 'groups/web', String(newest), 'group.json')))
    return `the newest term ${newest} has no record`
  const more = terms.filter(term => !claims.includes(term))
  return more.length === 0 ? undefined : `the terms ${more} were written to without a claim`
}
