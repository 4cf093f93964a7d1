import { printable } from '../../printable.js'
import { type BlockView, viewBlocks } from '../../qmp/block-view.js'
import { queryJobs } from '../../qmp/commands/query-jobs.js'
import type { Qmp } from '../../qmp/qmp.js'
import { ReplicationError } from '../replication-error.js'
import { commandTimeout } from './command-timeout.js'
import { usualTimer } from './timer.js'

const limits = { timeout: commandTimeout }
/** How often it is asked, in milliseconds. */
const every = 20

/**
 * Looks at a guest's block graph; not while a job creates an image. QEMU 7.2 ends, and the guest with it, where its nodes are asked for
 * in the moment in which such a job has opened a qcow2 image and has not read its header (`qcow2_get_specific_info` asserts).
 *
 * @throws QmpError; ReplicationError qemu where images are being created all the time
 */
export async function viewGuest(qmp: Qmp): Promise<BlockView> {
  for (let waited = 0; ; waited += every) {
    const jobs = await qmp.run(queryJobs, undefined, limits)
    const creating = jobs.find(({ type, status }) => type === 'create' && status !== 'concluded' && status !== 'null')
    if (creating === undefined) return await viewBlocks(qmp, limits)
    if (waited >= commandTimeout)
      throw new ReplicationError(
        'qemu',
        `the job ${printable(creating.id)} creates an image: QEMU is not asked meanwhile`,
      )
    await new Promise<void>(resolve => usualTimer(every, resolve))
  }
}
