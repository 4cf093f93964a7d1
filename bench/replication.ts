import { benchCompare } from './replication/compare.js'
import { benchDeepWrites } from './replication/deep-writes.js'
import { benchGuests } from './replication/guests.js'
import { benchJournal } from './replication/journal.js'
import { benchMemory } from './replication/memory.js'
import { benchRates } from './replication/rates.js'
import { benchRecoveryPoint } from './replication/recovery-point.js'
import { benchResync } from './replication/resync.js'
import { benchStartOfTest } from './replication/start.js'

/** The parts of the bench of agent and hub, by name: processes of both, beside the same disk unprotected, on qemu-nbd, and mirrored by QEMU. */
export const replicationBenches: Readonly<Record<string, () => Promise<string>>> = {
  'replication-rates': benchRates,
  'replication-guests': benchGuests,
  'replication-deep-writes': benchDeepWrites,
  'replication-journal': benchJournal,
  'replication-recovery-point': benchRecoveryPoint,
  'replication-start': benchStartOfTest,
  'replication-resync': benchResync,
  'replication-compare': benchCompare,
  'replication-memory': benchMemory,
}
