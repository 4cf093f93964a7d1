import type { DiskSight } from '../../colo/look.js'
import { promotionProblem } from '../../colo/take-over/fail-over.js'
import { type DataWorth, dataWorths } from '../colo-status.js'
import type { NodeRecord } from './node-record.js'

/** What a node's disks are worth while its guest does not run: that of the worst. */
export function worthOf(disks: readonly DiskSight[], record: NodeRecord, node: string): DataWorth {
  const worths = disks.map(disk => worthOfDisk(disk, record, node))
  return dataWorths.findLast(worth => worths.includes(worth)) ?? 'unknown'
}

function worthOfDisk(sight: DiskSight, node: NodeRecord, name: string): DataWorth {
  const { role, record, recordProblem } = sight
  if (recordProblem !== undefined || role === 'none') return 'unknown'
  // the other node alone has what was written here
  if (record?.failing !== undefined) return 'unknown'
  if (record === undefined) return role === 'primary' ? 'new' : 'unknown'
  switch (record.state) {
    case 'syncing':
      return 'half'
    case 'outdated':
      return 'outdated'
    case 'alone':
    case 'replicated':
      // where another node was promoted since, it has what is missing here
      return record.epoch < node.promotion && node.by !== name ? 'outdated' : 'whole'
    case 'failing-over':
      // a take-over that was begun is gone on with, by the overlays that the record names
      if (role === 'primary') return record.overlays === undefined ? 'unknown' : 'checkpoint'
  }
  return role === 'secondary' && promotionProblem(sight, record.epoch) === undefined ? 'checkpoint' : 'unknown'
}
