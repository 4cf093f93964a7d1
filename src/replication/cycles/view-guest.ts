import { printable } from '../../printable.js'
import { type BlockView, viewBlocks } from '../../qmp/block-view.js'
import { queryBlockGraph } from '../../qmp/commands/query-block-graph.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import type { Qmp } from '../../qmp/qmp.js'
import { ReplicationError } from '../replication-error.js'
import { commandTimeout } from './command-timeout.js'
import { filterNode, isFilterNode } from './names.js'
import { usualTimer } from './timer.js'

const limits = { timeout: commandTimeout }
/** How often it is asked, in milliseconds. */
const every = 20

/**
 * Looks at a guest's block graph, at a moment in which QEMU 7.2 may be asked for its nodes. It ends, and the guest with it,
 * while a job that creates a qcow2 image has opened it and not read its header (`qcow2_get_specific_info` asserts), and while
 * the filter of a backup that has ended has nothing below it any more (`bdrv_refresh_filename` reads there): where the guest
 * is stopped as its backup ends, say.
 *
 * @throws QmpError; ReplicationError qemu where there is no such moment
 */
export async function viewGuest(qmp: Qmp): Promise<BlockView> {
  for (let waited = 0; ; waited += every) {
    const why = await whyNot(qmp)
    if (why === undefined) return await viewBlocks(qmp, limits)
    if (waited >= commandTimeout)
      throw new ReplicationError('qemu', `${why}: QEMU is not asked for its nodes meanwhile`)
    await new Promise<void>(resolve => usualTimer(every, resolve))
  }
}

async function whyNot(qmp: Qmp): Promise<string | undefined> {
  const { nodes } = await qmp.run(queryBlockGraph, undefined, limits)
  const jobs = await qmp.run(queryJobs, undefined, limits)
  const creating = jobs.find(({ type, status }) => type === 'create' && status !== 'concluded' && status !== 'null')
  if (creating !== undefined) return `the job ${printable(creating.id)} creates an image`
  // beneath a job that is there it is safe: ours do not end by themselves
  const filter = nodes.find(({ name }) => isFilterNode(name) && !jobs.some(({ id }) => filterNode(id) === name))
  return filter && `the node ${filter.name} of a backup that has ended is still there`
}
