import { epochOf } from '../../colo/graph/node-names.js'
import { type PairStatus, pairStatus } from '../../colo/pair-status.js'
import { endProtection } from '../../colo/protect/end-protection.js'
import type { Io } from '../../command-line/io.js'
import type { PairCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { reporterFor } from '../output/reporter-for.js'
import { openRecords } from '../records.js'
import { withStatus } from '../refusal.js'
import { openSide, reachSide } from '../sides.js'
import { whichDisks } from '../which-disks.js'

/** Ends a protection, also where the secondary is dead. */
export async function runStop({ ends, json }: PairCommand, io: Io): Promise<number> {
  const reporter = reporterFor(json, io)
  const { timeout } = ends
  const records = openRecords(ends.records, io)
  await using primary = await openSide('primary', ends.primary, { timeout, records: records.primary })
  await using there = await reachSide(ends.secondary, { timeout, records: records.secondary })
  if (there.error !== undefined) reporter.warn(`the secondary: ${there.error.message}; its records cannot be told`)
  const sides = { primary, secondary: there.side }
  const disks = await whichDisks(ends.disks, [primary, there.side], { timeout })
  const status = await pairStatus({ ...sides, disks, timeout })
  const epoch = replicatedEpoch(status)
  try {
    await endProtection({ ...sides, disks, timeout })
  } catch (error) {
    throw withStatus(error)
  }
  reporter.say(`the protection of epoch ${epoch} was ended`, { event: 'stopped', epoch })
  return exitStatus('done')
}

/** That of the replicas; without them the highest. */
function replicatedEpoch({ primary, secondary, epoch }: PairStatus): number {
  const replicas = primary.sight?.disks.flatMap(({ primary }) =>
    primary.kind === 'replicated' ? (epochOf(primary.replica.nbdNode) ?? []) : [],
  )
  return replicas?.[0] ?? secondary.sight?.listening ?? epoch
}
