import type { OpenFile } from '../folder.js'
import { damaged } from './damaged.js'
import { JournalState } from './journal-state.js'
import { type RecordHeader, type RecordKind, recordSize } from './record.js'
import { hasLaterCommit, scanSegment } from './scan-segment.js'
import { readSegmentHeader, segmentName } from './segment-header.js'
import { SegmentIndex } from './segment-index.js'

export interface ReadSegment {
  number: number
  index: SegmentIndex
  /** What is known behind its last record. */
  state: JournalState
  /** Where its records end, in bytes. */
  length: number
}

const marksOfTheHub: readonly RecordKind[] = ['volume', 'stream', 'rewind', 'name']
/** Whether all of what an agent sent at once is there with this record. */
const completes = (header: RecordHeader): boolean => header.sequence !== 0 || marksOfTheHub.includes(header.kind)

/**
 * Reads all of a segment, up to a position that the next one begins with. Of the last one (`limit` is infinite) what is not whole at its end was never
 * acknowledged, and does not count; nor do the first pieces of a write whose last one is not there. Undefined where its header is not whole.
 */
export function readSegment(file: OpenFile, number: number, limit: number, seed: number): ReadSegment | undefined {
  const header = readSegmentHeader(file, number, seed)
  if (header === undefined) return
  const state = new JournalState(header.state)
  const index = new SegmentIndex(header.first, state, header.begun)
  let length = header.size
  let waiting: { header: RecordHeader; at: number }[] = []
  const empty = new Uint8Array(0)
  const { end, next, isTorn } = scanSegment(file, header.size, header.first, limit, seed, (record, payload, at) => {
    if (!completes(record)) {
      waiting.push({ header: record, at })
      return
    }
    for (const piece of waiting) index.add(piece.header, empty, piece.at, state.apply(piece.header, empty))
    waiting = []
    index.add(record, payload, at, state.apply(record, payload))
    length = at + recordSize(record.stored)
  })
  if (limit !== Number.POSITIVE_INFINITY && (next < limit || waiting.length > 0))
    throw damaged(`record ${next} in ${segmentName(number)} is not what was written`)
  if (isTorn && hasLaterCommit(file, end, next, seed))
    throw damaged(`record ${next} in ${segmentName(number)}, at byte ${end}, is not what was written`)
  return { number, index, state, length }
}
