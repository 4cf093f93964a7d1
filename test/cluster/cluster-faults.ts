import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Random } from '../support/random.js'
import type { NamespaceCluster } from './namespace-cluster.js'

const run = promisify(execFile)

/** Something that happens to a cluster, and what makes it good again. */
export interface Fault {
  readonly name: string
  /** It happens to all nodes, or is asked for: no fail-over is measured by it. */
  readonly isOfAll?: boolean
  /** Whether the service may stop as long as it lasts. */
  do(cluster: NamespaceCluster, node: string, other: string, random: Random): Promise<void>
}

const seconds = (random: Random, from: number, to: number) => 1000 * from + random.int(1000 * (to - from))

/** Something is so for a while. */
async function meanwhile(time: number, begin: () => Promise<unknown> | unknown, end: () => Promise<unknown> | unknown) {
  await begin()
  await pause(time)
  await end()
}

const crm = (cluster: NamespaceCluster, node: string, ...words: string[]) =>
  cluster.node(node).run('crm_attribute', ...words)

/** Each happens to the promoted node or to the other one. */
export const faults: readonly Fault[] = [
  {
    name: 'a node loses its power',
    async do(cluster, node, _other, random) {
      await cluster.node(node).kill()
      await pause(seconds(random, 1, 6))
      if (!cluster.node(node).isUp) cluster.node(node).boot()
    },
  },
  {
    name: 'a node is frozen',
    async do(cluster, node, _other, random) {
      const there = cluster.node(node)
      await meanwhile(
        seconds(random, 0.5, 8),
        () => there.signal('SIGSTOP'),
        () => there.signal('SIGCONT'),
      )
    },
  },
  {
    name: 'the cable of a node is pulled',
    async do(cluster, node, _other, random) {
      await meanwhile(
        seconds(random, 0.5, 8),
        () => cluster.cable(node, 'down'),
        () => cluster.cable(node, 'up'),
      )
    },
  },
  {
    name: 'what a node sends to the other one is lost',
    async do(cluster, node, other, random) {
      await meanwhile(
        seconds(random, 0.5, 8),
        () => cluster.losesWay(node, other, true),
        () => cluster.losesWay(node, other, false),
      )
    },
  },
  {
    name: 'the process of the resource is killed',
    async do(cluster, node) {
      for (const pid of cluster.node(node).pidsOf(cluster.served)) process.kill(pid, 'SIGKILL')
    },
  },
  {
    name: 'the process of the resource hangs',
    async do(cluster, node) {
      for (const pid of cluster.node(node).pidsOf(cluster.served)) process.kill(pid, 'SIGSTOP')
    },
  },
  {
    name: 'the disk of a node is full',
    async do(cluster, node, _other, random) {
      const filling = join(cluster.node(node).folder, 'disk/filling')
      await meanwhile(
        seconds(random, 1, 5),
        () => run('dd', ['if=/dev/zero', `of=${filling}`, 'bs=64k']).catch(() => {}),
        () => rmSync(filling, { force: true }),
      )
    },
  },
  {
    name: 'agents are killed in the middle of what they do',
    async do(cluster, node, _other, random) {
      for (const pid of cluster.node(node).pidsOf(cluster.served)) process.kill(pid, 'SIGKILL')
      for (const end = performance.now() + seconds(random, 1, 4); performance.now() < end; await pause(20))
        for (const pid of cluster.node(node).pidsOf('xl-cluster.cjs ocf')) process.kill(pid, 'SIGKILL')
    },
  },
  {
    name: 'a node is set on standby',
    isOfAll: true,
    async do(cluster, node, other, random) {
      await meanwhile(
        seconds(random, 2, 6),
        () => crm(cluster, other, '-N', node, '-n', 'standby', '-v', 'on'),
        () => crm(cluster, other, '-N', node, '-n', 'standby', '-D'),
      )
    },
  },
  {
    name: 'a node is lost in maintenance mode',
    isOfAll: true,
    async do(cluster, node, other, random) {
      await crm(cluster, other, '-t', 'crm_config', '-n', 'maintenance-mode', '-v', 'true')
      for (const pid of cluster.node(node).pidsOf(cluster.served)) process.kill(pid, 'SIGKILL')
      await pause(seconds(random, 0, 6))
      await crm(cluster, other, '-t', 'crm_config', '-n', 'maintenance-mode', '-D')
    },
  },
  {
    name: 'all nodes lose their power',
    isOfAll: true,
    async do(cluster, _node, _other, random) {
      for (const node of cluster.nodes) await node.kill()
      for (const node of random.chance(0.5) ? cluster.nodes : [...cluster.nodes].reverse()) {
        if (!node.isUp) node.boot()
        await pause(seconds(random, 0, 3))
      }
    },
  },
]

/** The faults of a cluster whose resource is a guest. */
export const guestFaults = (): readonly Fault[] => [...faults, ...qemuFaults]

/** What happens to a guest's QEMU. */
const qemuFaults: readonly Fault[] = (
  [
    ["the guest's QEMU is killed", 'SIGKILL'],
    ["the guest's QEMU hangs", 'SIGSTOP'],
  ] as const
).map(([name, signal]) => ({
  name,
  async do(cluster, node) {
    for (const pid of cluster.node(node).pidsOf('qemu-system-x86_64 ')) process.kill(pid, signal)
  },
}))
