import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../support/random.js'
import type { LeasedNode } from './leased-node.js'
import type { LeasedWorld } from './leased-world.js'
import type { Way } from './way.js'

/** Something that happens, and what makes it good again. */
export interface PairFault {
  readonly name: string
  /** It happens to both nodes, or to neither: no fail-over is measured by it. */
  readonly isOfAll?: boolean
  /** @param node one of the nodes @param other the other one */
  do(world: LeasedWorld, node: LeasedNode, other: LeasedNode, random: Random): Promise<void>
}

/** Shorter than the lease lasts, or longer, in milliseconds. */
const anyTime = ({ ttl }: LeasedWorld, random: Random) =>
  random.chance(0.3) ? random.int(ttl / 2) : ttl + random.int(ttl)

/** Ways are as bad as that for a time. */
async function without(ways: readonly Way[], time: number, random: Random): Promise<void> {
  const isSilent = random.chance(0.5)
  for (const way of ways) isSilent ? way.silence() : way.cut()
  await pause(time)
  for (const way of ways) way.mend()
}

export const pairFaults: readonly PairFault[] = [
  {
    name: 'a node is killed',
    async do(world, node, _other, random) {
      await node.end()
      await pause(anyTime(world, random))
      node.start()
    },
  },
  {
    name: 'a node is stopped',
    async do(world, node, _other, random) {
      node.signal('SIGSTOP')
      await pause(anyTime(world, random))
      node.signal('SIGCONT')
    },
  },
  {
    name: 'the nodes lose each other',
    async do(world, _node, _other, random) {
      await without([world.link], anyTime(world, random), random)
    },
  },
  {
    name: 'a node loses etcd',
    async do(world, node, _other, random) {
      await without(node.toEtcd, anyTime(world, random), random)
    },
  },
  {
    name: 'a node loses etcd and its peer',
    async do(world, node, _other, random) {
      await without([world.link, ...node.toEtcd], anyTime(world, random), random)
    },
  },
  {
    name: 'a node goes on alone, and dies; the other one comes back first',
    async do(world, node, other, random) {
      await other.end()
      await world.untilPromised(world.history.promised + 4 + random.int(40))
      await node.end()
      other.start()
      await pause(anyTime(world, random) + world.ttl)
      node.start()
    },
  },
  {
    name: 'a member of etcd is killed',
    isOfAll: true,
    async do({ cluster, ttl }, _node, _other, random) {
      const member = random.pick(cluster.members)
      await member.end()
      await pause(random.int(ttl * 2))
      member.start()
      await cluster.answers()
    },
  },
  {
    name: 'a member of etcd is stopped',
    isOfAll: true,
    async do({ cluster, ttl }, _node, _other, random) {
      const member = random.pick(cluster.members)
      member.signal('SIGSTOP')
      await pause(random.int(ttl * 2))
      member.signal('SIGCONT')
      await cluster.answers()
    },
  },
  {
    name: 'both nodes are killed',
    isOfAll: true,
    async do({ ttl }, node, other, random) {
      await Promise.all([node.end(), other.end()])
      node.start()
      await pause(random.int(ttl * 2))
      other.start()
    },
  },
  {
    name: 'a node is ended',
    async do(world, node, _other, random) {
      await node.end('SIGTERM')
      await pause(anyTime(world, random))
      node.start()
    },
  },
  {
    name: 'a node is handed over',
    async do(_world, node) {
      await node.handOver().catch(() => {})
    },
  },
]
