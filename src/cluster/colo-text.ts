import { printable } from '../printable.js'
import type { ColoStatus, DataWorth } from './colo-status.js'

const datas: Readonly<Record<DataWorth, string>> = {
  checkpoint: 'holds the last checkpoint',
  whole: 'holds what it had as the primary',
  new: 'is new: nothing is known of its disks',
  outdated: 'is outdated',
  unknown: 'holds what is not certain',
  half: 'is half a copy',
}

const pairs: Readonly<Record<ColoStatus['pair'], string>> = {
  none: 'begins',
  asking: 'the guest stands still until the cluster says that it may go on alone',
  alone: 'alone',
  protected: 'protected',
}

/** A node of a guest under COLO in a line. */
export function coloText({ role, pair, data, fencedBy, failure, isSplit, promotion, why }: ColoStatus): string {
  const parts = [role === 'primary' ? `primary, ${pairs[pair]}` : `secondary, ${datas[data]}`, `promotion ${promotion}`]
  if (fencedBy !== undefined) parts.push(`FENCED by promotion ${fencedBy}`)
  if (isSplit) parts.push('SPLIT BRAIN: what was written here alone is not overwritten')
  if (failure !== undefined) parts.push(`FAILED: ${printable(failure)}`)
  if (why !== '') parts.push(printable(why))
  return parts.join('; ')
}
