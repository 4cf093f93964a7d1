import { printable } from '../../printable.js'
import { EtcdRefusal } from './etcd-refusal.js'
import { type KeyRange, rangeFields } from './key-range.js'
import { type KeyValue, readKeyValue, readRevision } from './key-value.js'
import { flag, int64, list, object } from './reply-fields.js'

/** What happened to a key. */
export interface KeyEvent {
  key: KeyValue
  isRemoved: boolean
}

/** What a watch says: events, or that those asked for are forgotten. */
export type WatchReply = { events: KeyEvent[]; next: bigint | undefined } | 'compacted'

/** Asks for what happens from a revision on. */
export const watchRequest = (range: KeyRange, from: bigint): object => ({
  create_request: { ...rangeFields(range), start_revision: String(from), progress_notify: true },
})

/** @throws LeaseError protocol; EtcdRefusal where the watch is not granted */
export function readWatchReply(value: unknown): WatchReply {
  const reply = object(value, "a watch's reply")
  const { header, events, created, canceled, compact_revision: compacted, cancel_reason: reason } = reply
  if (int64(compacted, 'a revision') !== '0') return 'compacted'
  if (flag(canceled, 'canceled')) {
    const why = typeof reason === 'string' ? printable(reason.slice(0, 300)) : 'no reason is given'
    throw new EtcdRefusal(0, `a watch is not granted: ${why}`)
  }
  const read = list(events, 'events', readEvent)
  const revisions = read.map(({ key }) => BigInt(key.modRevision))
  // the first reply's revision is the store's, and what was before it is still to come
  if (read.length === 0 && !flag(created, 'created')) revisions.push(BigInt(readRevision(header)))
  const last = revisions.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined)
  return { events: read, next: last === undefined ? undefined : last + 1n }
}

function readEvent(value: unknown): KeyEvent {
  const { type, kv } = object(value, 'an event')
  return { key: readKeyValue(kv), isRemoved: type === 'DELETE' }
}
