import { blockJobCancel } from '../../qmp/commands/blockdev-mirror.js'
import { type TransactionAction, transaction } from '../../qmp/commands/transaction.js'
import { runJob } from '../../qmp/job.js'
import type { Qmp } from '../../qmp/qmp.js'
import { commandTimeout } from './command-timeout.js'
import { filterNode } from './names.js'

/** A copy of a node as it is in the transaction's moment. */
export interface Backup {
  job: string
  /** The node that is copied. */
  node: string
  target: string
  /** The bitmap of what is copied, which stays as it is; all is copied without it. */
  bitmap: string | undefined
}

/** 1 MiB of a disk is under way at a time: over a slow link, a write of the guest's to what was not copied yet waits behind it. */
const copyAtMost = { 'max-workers': 4, 'max-chunk': 256 * 1024 }

/** Begins backups after these actions, all in one moment, and waits for their end. Where one fails, the others are cancelled. */
export async function runBackups(
  qmp: Qmp,
  {
    actions,
    backups,
    signal,
  }: { actions: readonly TransactionAction[]; backups: readonly Backup[]; signal: AbortSignal },
): Promise<void> {
  let started: Promise<void> | undefined
  const begin = () => {
    started ??= qmp.run(
      transaction,
      { actions: [...actions, ...backups.map(actionOf)] },
      { signal, timeout: commandTimeout },
    )
    return started
  }
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const ends = backups.map(({ job }) =>
    runJob(qmp, { id: job, start: begin, signal: either }).catch(error => {
      failed.abort(error)
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(ends)
  // the first of them is why the others were cancelled
  signal.throwIfAborted()
  if (failed.signal.aborted) throw failed.signal.reason
  const refused = outcomes.find(({ status }) => status === 'rejected')
  if (refused?.status === 'rejected') throw refused.reason
}

/** Ends a job of ours that nobody waits for. */
export async function dropJob(qmp: Qmp, id: string): Promise<void> {
  const start = () => qmp.run(blockJobCancel, { device: id, force: true }, { timeout: commandTimeout })
  await runJob(qmp, { id, start, timeout: commandTimeout })
}

const actionOf = ({ job, node, target, bitmap }: Backup): TransactionAction => ({
  type: 'blockdev-backup',
  data: {
    'job-id': job,
    device: node,
    target,
    'filter-node-name': filterNode(job),
    // one that ends by itself while the guest is being stopped leaves its filter behind in QEMU 7.2, for good
    'auto-finalize': false,
    'x-perf': copyAtMost,
    ...(bitmap === undefined ? { sync: 'full' } : { sync: 'bitmap', bitmap, 'bitmap-mode': 'never' }),
  },
})
