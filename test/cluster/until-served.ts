import { setTimeout as pause } from 'node:timers/promises'
import { readHistory } from './guest-history.js'
import type { NamespaceCluster } from './namespace-cluster.js'

/** How long it may take, in milliseconds: nodes boot, are fenced, and boot again. */
const limit = 120_000

/** Waits until a guest was promised more than that number. @returns the time */
export async function untilServed(cluster: NamespaceCluster, more: number): Promise<number> {
  for (const end = performance.now() + limit; performance.now() < end; await pause(50))
    if (readHistory(cluster.logs).promised > more) return performance.now()
  throw new Error(`the guest does not go on:\n${await describe(cluster)}`)
}

/** Waits until both nodes hold the same, and the cluster knows it: either may be promoted. */
export async function untilRedundant(cluster: NamespaceCluster): Promise<void> {
  for (const end = performance.now() + limit; performance.now() < end; await pause(100)) {
    const states = await Promise.all(cluster.nodes.slice(0, 2).map(({ name }) => cluster.state(name)))
    const monitors = states.map(state => state?.get('monitor'))
    if (monitors.includes('promoted') && monitors.includes('running') && (await mayAllBePromoted(cluster))) return
  }
  throw new Error(`the nodes do not come together:\n${await describe(cluster)}`)
}

const mayAllBePromoted = (cluster: NamespaceCluster): Promise<boolean> =>
  cluster.nodes[0]!.run('cibadmin', '-Q', '-o', 'constraints').then(
    constraints => !constraints.includes('xenlight-alone-web'),
    () => false,
  )

/** Which node is promoted, as far as one says so. */
export async function promotedNode(cluster: NamespaceCluster): Promise<string | undefined> {
  for (const { name } of cluster.nodes)
    if (/^(?:degraded-)?promoted$/.test((await cluster.state(name))?.get('monitor') ?? '')) return name
  return undefined
}

/** What all nodes say, for a failure. */
export async function describe(cluster: NamespaceCluster): Promise<string> {
  const lines: string[] = []
  for (const node of cluster.nodes) {
    const ask = (...words: string[]) => node.run(...words).catch(error => `${error}`)
    lines.push(`--- ${node.name}`, await ask('crm_mon', '-1', '-A', '-r'), await ask('cat', '/run/xenlight/web/state'))
    lines.push(await ask('tail', '-n', '3', '/run/xenlight/web/log'), await ask('cat', '/run/guest.log'))
  }
  return lines.join('\n')
}
