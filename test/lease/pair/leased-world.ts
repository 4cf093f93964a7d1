import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createReplicatedDisk, type ServedStatus } from 'xenlight/protocol-d'
import { eventually } from '../../protocol-d/eventually.js'
import { freePort } from '../../protocol-d/free-port.js'
import { type EtcdCluster, startEtcd } from '../node/etcd-daemons.js'
import { LeasedNode } from './leased-node.js'
import { runGuest } from './pair-guest.js'
import { PairHistory } from './pair-history.js'
import { Way } from './way.js'

/** How long anything may take until it is so again, in milliseconds. */
const limit = 120_000

/** A pair under a lease, the cluster of etcd that keeps it, what lies between them, and a guest beside each node. */
export interface LeasedWorld {
  cluster: EtcdCluster
  nodes: readonly [LeasedNode, LeasedNode]
  /** Between the two nodes. */
  link: Way
  history: PairHistory
  ttl: number
  /** Waits until guests were promised more than that number. */
  untilPromised(more: number): Promise<void>
  /** Waits until both nodes hold the same, and one of them serves. */
  untilEqual(): Promise<void>
}

export interface WorldOptions {
  /** How many members etcd has. */
  members: number
  /** In milliseconds. */
  ttl: number
  /** A mistake that both nodes have. */
  plant?: string | undefined
  /** Without one, guests write from the beginning. */
  isWithoutGuests?: boolean
}

/** Starts all of it; the first node is Primary then. @throws MissingRealPart */
export async function leasedWorld(
  t: Test,
  { members, ttl, plant, isWithoutGuests = false }: WorldOptions,
): Promise<LeasedWorld> {
  const cluster = await startEtcd(t, { size: members })
  const folder = mkdtempSync(join(tmpdir(), 'leased-pair-'))
  writeFileSync(join(folder, 'pair'), 'a name that nobody guesses\n')
  const ways: Way[] = []
  const wayTo = async (to: number) => {
    const port = await freePort()
    const way = await Way.open(port, to)
    ways.push(way)
    return { way, port }
  }
  const listens = await freePort()
  const { way: link, port } = await wayTo(listens)
  const node = async (name: string, peer: readonly string[]) => {
    const made = []
    for (const { endpoint } of cluster.members) made.push(await wayTo(Number(new URL(endpoint).port)))
    const endpoints = made.map(one => `http://127.0.0.1:${one.port}`)
    await createReplicatedDisk({
      ...{ data: join(folder, `${name}.img`), size: 1024 * 1024, logSize: 64 * 1024 * 1024 },
      pair: 'a name that nobody guesses',
    })
    return new LeasedNode({ name, folder, peer, toEtcd: made.map(({ way }) => way), endpoints, ttl, plant })
  }
  const nodes = [
    await node('anna', ['--listen', `127.0.0.1:${listens}`]),
    await node('berta', ['--connect', `127.0.0.1:${port}`]),
  ] as const
  const history = new PairHistory()
  const over = new AbortController()
  t.teardown(async () => {
    over.abort()
    await Promise.all(nodes.map(one => one.end()))
    for (const way of ways) way.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const said = () => JSON.stringify(history.counts) + nodes.map(one => `\n--- ${one.name}\n${one.said}`).join('')
  const world: LeasedWorld = {
    ...{ cluster, nodes, link, history, ttl },
    async untilPromised(more) {
      const isSo = () => history.problem !== undefined || history.promised > more
      await eventually(`more than ${more} is promised`, isSo, said, limit)
      history.check()
    },
    async untilEqual() {
      const isServed = (statuses: (ServedStatus | undefined)[]) =>
        statuses.every(status => status?.connection === 'equal') &&
        statuses.filter(status => status?.role === 'primary' && status.lease?.state === 'held').length === 1
      const isSo = async () =>
        history.problem !== undefined || isServed(await Promise.all(nodes.map(one => one.status())))
      await eventually('both hold the same', isSo, said, limit)
      history.check()
    },
  }
  for (const one of nodes) one.start()
  await eventually('both answer', async () => (await Promise.all(nodes.map(one => one.status()))).every(Boolean), said)
  await nodes[0].force('both disks are new')
  await world.untilEqual()
  if (!isWithoutGuests) {
    for (const one of nodes) void runGuest(one, history, over.signal)
    await world.untilPromised(0)
  }
  return world
}
