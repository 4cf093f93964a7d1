import { LeaseError } from '../lease-error.js'
import type { Gateway, GatewayOptions } from './gateway.js'
import { type KeyRange, rangeFields } from './key-range.js'
import { type KeyValue, readKeyValue, readRevision } from './key-value.js'
import { flag, list, object, unexpected } from './reply-fields.js'

/** How many keys come at a time, and how many there may be in all. */
const pageSize = 50
const keysAtMost = 10_000

export interface Snapshot {
  /** What is newer than this may be missing. */
  revision: string
  keys: KeyValue[]
}

/** Reads keys, a page at a time. @throws as `Gateway.ask`; LeaseError too-many */
export async function readRange(gateway: Gateway, range: KeyRange, options?: GatewayOptions): Promise<Snapshot> {
  const keys: KeyValue[] = []
  let revision: string | undefined
  for (let from = range.key; ; ) {
    const body = { ...rangeFields({ ...range, key: from }), limit: String(pageSize) }
    const { header, kvs, more } = object(await gateway.ask('kv/range', body, options), 'a reply')
    const page = list(kvs, 'kvs', readKeyValue)
    revision ??= readRevision(header)
    keys.push(...page)
    if (!flag(more, 'more')) return { revision, keys }
    if (keys.length > keysAtMost) throw new LeaseError('too-many', `more than ${keysAtMost} keys under ${range.key}`)
    const last = page.at(-1)?.key ?? ''
    // what goes back would never end
    if (last < from) throw unexpected('a page that is none')
    from = `${last}\0`
  }
}
