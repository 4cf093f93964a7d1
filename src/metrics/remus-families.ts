import type { ServedStatus } from '../protocol-d/control/served-status.js'
import type { DiskCounts } from '../protocol-d/node/disk-counts.js'
import { counter, type Family, gauge, histogram, stateSamples } from './family.js'

const connections = [
  ...(['connected', 'source', 'target', 'undecided', 'refused'] as const),
  ...(['greeting', 'disconnected'] as const),
] as const

/** What a node says of a replicated disk, and what was counted since it was started. */
export function remusFamilies(disk: string, status: ServedStatus, counts: DiskCounts): Family[] {
  const labels = { disk }
  const one = (name: string, help: string, value: number | boolean | undefined) =>
    gauge(`xenlight_remus_${name}`, help, [[labels, value]])
  return [
    gauge(
      'xenlight_remus_role',
      'Which of the two the node is: 1 for that one, 0 for the other.',
      (['primary', 'secondary'] as const).map(role => [{ ...labels, role }, role === status.role]),
    ),
    one('writer', 'Whether the node is the one of two Primaries that writes.', status.isWriter),
    gauge(
      'xenlight_remus_data_state',
      'What the data is: 1 for that, 0 for all else.',
      stateSamples(labels, ['consistent', 'inconsistent', 'outdated'], status.disk),
    ),
    gauge(
      'xenlight_remus_connection_state',
      'How the node and its peer stand: 1 for that, 0 for all else. Refused is also split brain.',
      stateSamples(labels, connections, connectionOf(status)),
    ),
    one('promotion_number', 'The highest number of a promotion that the node has heard of.', status.promotion),
    one(
      'fenced',
      'Whether a later promotion was made elsewhere: no guest gets the disk here.',
      status.fencedBy !== undefined,
    ),
    one(
      'awaits_arbiter',
      "Whether the guest's writes wait until the arbiter lets the node go on alone.",
      status.asksAlone,
    ),
    one(
      'lease_held',
      'Of a node under a lease: whether it has it, and serves by it.',
      status.lease && status.lease.state === 'held',
    ),
    one('failed', 'Whether a file failed: the node does nothing any more.', status.failure !== undefined),
    one('size_bytes', 'How large the disk is.', status.size),
    one('differing_bytes', "What may differ from the peer's data.", status.differing),
    one('resync_remaining_bytes', 'What is left to be sent of a resync.', status.toCopy),
    one('open_epoch_bytes', 'What was received of the epoch that is not committed.', status.openEpoch),
    one('unsent_bytes', 'What waits to be sent to the peer.', status.unsent),
    one('unacknowledged_writes', 'How many writes the peer has not acknowledged.', status.unacknowledged),
    one('congested', "Whether so much waits that the guest's writes wait, too.", status.isCongested),
    one('log_full', 'Whether the log is full, and the peer waits.', status.isFull),
    one('clients', 'How many NBD clients there are.', status.clients),
    one('checkpointing', 'Whether checkpoints are taken.', status.mode === 'checkpoints'),
    one('checkpoint_number', 'The last checkpoint that was committed.', status.checkpoint),
    one(
      'checkpoint_timestamp_seconds',
      'When the peer acknowledged the last checkpoint that this node took.',
      counts.acknowledgedAt === undefined ? undefined : counts.acknowledgedAt / 1000,
    ),
    histogram(
      'xenlight_remus_checkpoint_duration_seconds',
      "How long it took from a checkpoint to the peer's acknowledgement.",
      [[labels, counts.checkpoints]],
    ),
    counter('xenlight_remus_fail_overs_total', 'How often the node became Primary while its peer was not there.', [
      [labels, counts.failOvers],
    ]),
  ]
}

function connectionOf({ connection, isRefused }: ServedStatus): (typeof connections)[number] {
  // nodes that do not fit meet again and again
  if (isRefused) return 'refused'
  switch (connection) {
    case 'none':
      return 'disconnected'
    case 'hello':
      return 'greeting'
    case 'equal':
      return 'connected'
    case 'source-starting':
      return 'source'
    case 'target-starting':
      return 'target'
    default:
      return connection
  }
}
