import { eventually } from '../protocol-d/eventually.js'
import { readGroupHistory } from './group-history.js'
import type { NamespaceCluster } from './namespace-cluster.js'

/** How long it may take, in milliseconds: nodes boot, are fenced, and boot again. */
const limit = 180_000

/** The two sides of the group `web`: the agent is on the first node, the hub on the second one. */
export const agentNode = 'anna'
export const hubNode = 'berta'

/** What a node's service says of the group, by its state file. */
export async function groupState(cluster: NamespaceCluster, name: string): Promise<ReadonlyMap<string, string>> {
  const text = await cluster
    .node(name)
    .run('cat', name === agentNode ? '/run/repagent/states/web.agent' : '/run/rephub/states/web.hub')
    .catch(() => '')
  return new Map(text.split('\n').map(line => [line.replace(/=.*/, ''), line.replace(/^\w*=/, '')]))
}

export async function untilSo(cluster: NamespaceCluster, what: string, isSo: () => Promise<boolean>): Promise<void> {
  await eventually(what, isSo, undefined, limit).catch(async error => {
    throw new Error(`${(error as Error).message}\n${await describe(cluster)}`)
  })
}

/** Waits until the group is so on a node, by the words of its state. */
export const untilState = (cluster: NamespaceCluster, name: string, key: string, wanted: RegExp): Promise<void> =>
  untilSo(cluster, `${key} of ${name} is ${wanted}`, async () =>
    wanted.test((await groupState(cluster, name)).get(key) ?? ''),
  )

/** Waits until a guest goes on with the disks of a node. */
export async function untilServedBy(cluster: NamespaceCluster, name: string): Promise<void> {
  await untilState(cluster, name, 'monitor', /promoted$/)
  await untilSo(cluster, `a guest runs on ${name}`, () =>
    cluster
      .node(name)
      .run('sh', '-c', 'kill -0 "$(cat /run/guest.pid)"')
      .then(
        () => true,
        () => false,
      ),
  )
  const { promised, guests } = readGroupHistory(cluster.logs)
  await untilSo(cluster, `the guest goes on`, async () => {
    const now = readGroupHistory(cluster.logs)
    return now.guests > guests || now.promised > promised + 8
  })
}

/** Waits until the guest is beside the agent, and the hub has all. */
export async function untilHome(cluster: NamespaceCluster): Promise<void> {
  await untilServedBy(cluster, agentNode)
  await untilState(cluster, agentNode, 'monitor', /^promoted$/)
  await untilSo(cluster, 'both sides are in the cluster', async () => {
    const text = await cluster
      .node(agentNode)
      .run('crm_mon', '-1')
      .catch(() => '')
    return /\* Promoted: \[ anna \]/.test(text) && /\* Unpromoted: \[ berta \]/.test(text)
  })
}

export const standby = (cluster: NamespaceCluster, by: string, node: string, isOn: boolean): Promise<string> =>
  cluster.node(by).run('crm_attribute', '-N', node, '-n', 'standby', ...(isOn ? ['-v', 'on'] : ['-D']))

/** Has the hub's node give the group back, where that has it. */
export async function goHome(cluster: NamespaceCluster): Promise<void> {
  if (/promoted$/.test((await groupState(cluster, hubNode)).get('monitor') ?? '')) {
    await untilState(cluster, agentNode, 'state', /^held: fenced/)
    await untilSo(cluster, 'the agent takes part in the cluster', async () =>
      /\* Unpromoted: \[ anna \]/.test(
        await cluster
          .node(hubNode)
          .run('crm_mon', '-1')
          .catch(() => ''),
      ),
    )
    await standby(cluster, agentNode, hubNode, true)
    await untilServedBy(cluster, agentNode)
    await standby(cluster, agentNode, hubNode, false)
  }
  await untilHome(cluster)
}

/** A property of the cluster; undefined where it is not set. */
export const property = (cluster: NamespaceCluster, by: string, name: string): Promise<string | undefined> =>
  cluster
    .node(by)
    .run('crm_attribute', '-t', 'crm_config', '-n', name, '-G', '-q')
    .then(
      text => text.trim(),
      () => undefined,
    )

async function describe(cluster: NamespaceCluster): Promise<string> {
  const lines: string[] = []
  for (const node of cluster.nodes) {
    const ask = (...words: string[]) => node.run('sh', '-c', words.join(' ')).catch(error => `${error}`)
    lines.push(`--- ${node.name}`, await ask('crm_mon -1 -A -r'), await ask('cat /run/rep*/states/web.*'))
    lines.push(await ask('cibadmin -Q -o crm_config | grep xenlight-'), await ask('tail -n 5 /run/web/services.log'))
    lines.push(await ask('cat /run/guest.log'), await ask('grep -h exit-reason /run/web/pacemaker.log | tail -n 5'))
  }
  return lines.join('\n')
}
