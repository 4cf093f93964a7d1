import { type QmpCommand, takes } from '../command.js'
import { flag, nothing, object, optionalText } from '../reply.js'

/**
 * Starts or stops the replication of all disks. It succeeds with no replicated disk at all. Stopping a secondary without
 * `failover: true` loses what its guest wrote and leaves the primary's open writes in its disk.
 */
export const xenSetReplication = {
  name: 'xen-set-replication',
  takes: takes<{ enable: boolean; primary: boolean; failover?: boolean }>(),
  reply: nothing,
} satisfies QmpCommand

/** Whether replication failed: the error is a value here, not a refusal. */
export const queryXenReplicationStatus = {
  name: 'query-xen-replication-status',
  takes: takes(),
  reply: value => {
    const status = object(value, 'the status')
    return { error: flag(status, 'error'), description: optionalText(status, 'desc') }
  },
} satisfies QmpCommand

/** Ends an epoch on this side, for all disks. */
export const xenColoDoCheckpoint = {
  name: 'xen-colo-do-checkpoint',
  takes: takes(),
  reply: nothing,
} satisfies QmpCommand
