import { checkText } from '../../check-argument.js'
import { isChangesBitmap, largestEpoch } from '../graph/node-names.js'

/** What must outlive a QEMU, of one side's disk. It is written before what it says is done. */
export interface DiskRecord {
  /** The disk, by its export's name. */
  disk: string
  /** The highest epoch that this side took part in. */
  epoch: number
  state: RecordedState
  /** Why, for people. */
  why: string
  /**
   * The dirty bitmap that its primary has of the last checkpoint since which nobody else has written this disk; absent where its own guest
   * may have, or it was never equal to a primary's.
   */
  since?: string | undefined
  /** Where its overlays are, once they hold for certain all that the disk lacks: a killed QEMU leaves them so in a take-over only. */
  overlays?: { active: string; hidden: string } | undefined
  /** A primary whose own image misses a write, and which: its secondary alone has it. */
  failing?: string | undefined
  /** When it was written, as ISO 8601. */
  at: string
}

export type RecordedState =
  /** A primary: its writes go nowhere else. */
  | 'alone'
  /** A primary: its writes go to a secondary. */
  | 'replicated'
  /** A secondary that is being made equal: it holds neither the one nor the other. */
  | 'syncing'
  /** A secondary: together with its overlays it holds the last checkpoint. */
  | 'replicating'
  /** A secondary: it holds a checkpoint, but its primary went on without it. */
  | 'outdated'
  /** A secondary that is becoming its guest's: the disk and its overlays belong together until that is done. */
  | 'failing-over'

const states: ReadonlySet<string> = new Set<RecordedState>([
  ...(['alone', 'replicated', 'syncing', 'replicating', 'outdated', 'failing-over'] as const),
])

/** One line of JSON, for people too. */
export const formatRecord = (record: DiskRecord): string => `${JSON.stringify({ version: 1, ...record })}\n`

/** Undefined for a text that is no record of this version. */
export function parseRecord(text: string): DiskRecord | undefined {
  checkText('text', text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { version, disk, epoch, state, why, since, overlays, failing, at } = value as Record<string, unknown>
  if (version !== 1 || typeof disk !== 'string' || !isEpoch(epoch)) return undefined
  if (typeof state !== 'string' || !states.has(state) || typeof why !== 'string' || typeof at !== 'string')
    return undefined
  if (since !== undefined && (typeof since !== 'string' || !isChangesBitmap(since))) return undefined
  const record: DiskRecord = { disk, epoch, state: state as RecordedState, why, at }
  if (since !== undefined) record.since = since
  if (failing !== undefined && typeof failing !== 'string') return undefined
  if (failing !== undefined) record.failing = failing
  if (overlays === undefined) return record
  const { active, hidden } = (overlays ?? {}) as Record<string, unknown>
  if (typeof active !== 'string' || typeof hidden !== 'string') return undefined
  record.overlays = { active, hidden }
  return record
}

const isEpoch = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestEpoch
