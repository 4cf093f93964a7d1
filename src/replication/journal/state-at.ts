import type { BaseKeeper } from './base-keeper.js'
import { damaged } from './damaged.js'
import { noSuchPoint } from './journal-error.js'
import { JournalState } from './journal-state.js'
import { isData } from './record.js'
import type { SegmentStore } from './segment-store.js'

const nothing = new Uint8Array(0)

/** Where the records of a journal are, and what is known at both ends of them. */
export interface Records {
  /** What is known before the first of them: what the images hold. */
  base: BaseKeeper
  store: SegmentStore
  /** What is known behind the last durable one. */
  durable: JournalState
}

/** What was known behind a durable record. Throws a ReplicationError: `no-such-point`, `damaged`. */
export function stateAt({ base, store, durable }: Records, position: number): JournalState {
  if (position === durable.position) return new JournalState(durable.snapshot)
  const { state: oldest } = base.current
  if (position === oldest.position) return new JournalState(oldest)
  const segment = store.holding(position)
  if (segment === undefined) throw noSuchPoint(position)
  const state = new JournalState(store.startState(segment.number))
  for (const record of store.table(segment).records(segment.first, position)) {
    const payload = isData(record.kind) ? nothing : store.record(segment.number, record.at).payload
    state.apply(record, payload)
  }
  if (state.position !== position) throw damaged(`record ${position} is not where it should be`)
  return state
}
