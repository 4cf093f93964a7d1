import { printable } from '../../printable.js'
import { blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { queryBlockGraph } from '../../qmp/commands/query-block-graph.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import { transaction } from '../../qmp/commands/transaction.js'
import { blockdevChange } from '../../qmp/commands/x-blockdev-change.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { ReplicationError } from '../replication-error.js'
import { dropJob } from './backups.js'
import { commandTimeout } from './command-timeout.js'
import { cutOff, type Monitors } from './monitors.js'
import { isFilterNode, ownPrefix } from './names.js'
import { viewGuest } from './view-guest.js'

const limits = { timeout: commandTimeout }

/** Whose jobs, nodes and bitmaps they are. */
export interface OwnGroup extends Monitors {
  group: string
  disks: readonly { volume: string }[]
}

/**
 * Takes away all jobs and nodes of QEMU's that are a group's; bitmaps stay. Connections are cut first, as the rest waits for what is
 * under way to them.
 *
 * @returns what is left all the same, and why, in sentences
 */
export async function dropOwnNodes(own: OwnGroup): Promise<string[]> {
  const { qmp, group, disks } = own
  const prefixes = disks.map(({ volume }) => ownPrefix(group, volume))
  const isOwn = (name: string) => prefixes.some(prefix => name.startsWith(prefix))
  const left: string[] = []
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      left.push(`${what}: ${(error as Error).message}`)
    }
  }
  await attempt('what there is of ours in QEMU', async () => {
    const graph = await qmp.run(queryBlockGraph, undefined, limits)
    const nodes = graph.nodes.flatMap(({ kind, name }) =>
      kind === 'block-driver' && isOwn(name) && !isFilterNode(name) ? [name] : [],
    )
    await cutOff(
      own,
      nodes.filter(name => /-(?:link|live)$/.test(name)),
    )
    const jobs = await qmp.run(queryJobs, undefined, limits)
    for (const { id } of jobs)
      if (isOwn(id)) await attempt(`the job ${printable(id)}`, () => dropJob(qmp, id).catch(unlessEnded))
    const view = await viewGuest(qmp)
    for (const name of nodes) {
      const node = view.node(name)
      if (node === undefined) continue
      for (const { node: parent, as } of view.parents(node.id)) {
        // a live child stands in a quorum of the guest's; a link goes with its target
        if (isOwn(parent.nodeName)) continue
        const child = { parent: parent.nodeName, child: as }
        await attempt(`the child ${as} of ${printable(parent.nodeName)}`, () => qmp.run(blockdevChange, child, limits))
      }
      if (view.parents(node.id).some(({ node: parent }) => isOwn(parent.nodeName))) continue
      await attempt(`the node ${printable(name)}`, () => qmp.run(blockdevDel, { 'node-name': name }, limits))
    }
  })
  return left
}

/** Begins with none of them. @throws ReplicationError qemu where one cannot be taken away */
export async function clearOwnNodes(own: OwnGroup): Promise<void> {
  const left = await dropOwnNodes(own)
  if (left.length > 0) throw new ReplicationError('qemu', `something of ours is in the way in QEMU: ${left.join('; ')}`)
}

/** For `catch`: the job has ended, in whatever way. @throws what says that it may still run */
function unlessEnded(error: unknown): void {
  if (error instanceof QmpError && ['job-cancelled', 'job-failed', 'refused'].includes(error.code)) return
  throw error
}

/** Removes bitmaps, all in one moment. @throws QmpError where one cannot be, and none is */
export async function removeBitmaps(
  { qmp }: Monitors,
  bitmaps: readonly { node: string; name: string }[],
): Promise<void> {
  if (bitmaps.length === 0) return
  const actions = bitmaps.map(data => ({ type: 'block-dirty-bitmap-remove' as const, data }))
  await qmp.run(transaction, { actions }, limits)
}
