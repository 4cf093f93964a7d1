import { EtcdRefusal } from '#xenlight/lease/etcd/etcd-refusal.js'
import type { GatewayPath } from '#xenlight/lease/etcd/gateway.js'

interface Stored {
  value: string
  created: number
  modified: number
  version: number
  lease: string
}

interface Event {
  revision: number
  key: string
  stored: Stored | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: what a request has, which a real etcd reads too
type Body = any

const text = (base64: string) => Buffer.from(base64, 'base64').toString()
const base64 = (value: string) => Buffer.from(value).toString('base64')

/** What a whole cluster of etcd does, in the words of its gateway: a key with its revisions, leases, transactions, watches. */
export class ModelEtcd {
  readonly #now: () => number
  readonly #keys = new Map<string, Stored>()
  readonly #leases = new Map<string, number>()
  readonly #events: Event[] = []
  #revision = 1
  #lastLease = 7000
  #compacted = 0

  /** @param now the time by which leases end, in milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  get leases(): number {
    this.#expire()
    return this.#leases.size
  }

  value(key: string): string | undefined {
    this.#expire()
    return this.#keys.get(key)?.value
  }

  /** As somebody else writes. */
  write(key: string, value: string): void {
    this.#revision++
    this.#put(key, value, '0')
  }

  /** Forgets what happened. */
  compact(): void {
    this.#compacted = this.#revision
    this.#events.length = 0
  }

  /** Answers a request. @throws EtcdRefusal */
  ask(path: GatewayPath, body: Body): unknown {
    this.#expire()
    if (path === 'lease/grant') {
      const id = String(++this.#lastLease)
      this.#leases.set(id, this.#now() + Number(body.TTL) * 1000)
      return { header: this.#header(), ID: id, TTL: body.TTL }
    }
    if (path === 'lease/revoke') {
      if (!this.#leases.delete(body.ID)) throw new EtcdRefusal(5, 'etcdserver: requested lease not found')
      this.#removeKeysOf(body.ID)
      return { header: this.#header() }
    }
    if (path === 'kv/range') return { header: this.#header(), ...this.#range(body) }
    return this.#transact(body)
  }

  /** What happened to keys since a revision, as a watch says it; undefined where nothing did. */
  since(from: number, body: Body): { reply: unknown; next: number } | undefined {
    this.#expire()
    if (from < this.#compacted)
      return { reply: { header: {}, canceled: true, compact_revision: String(this.#compacted) }, next: from }
    const isOne = this.#isIn(body.create_request)
    const events = this.#events.filter(({ revision, key }) => revision >= from && isOne(key))
    const { revision } = events[0] ?? {}
    if (revision === undefined) return undefined
    const together = events.filter(event => event.revision === revision)
    const shown = together.map(({ key, stored }) =>
      stored === undefined
        ? { type: 'DELETE', kv: { key: base64(key), mod_revision: String(revision) } }
        : { kv: this.#shown(key, stored) },
    )
    return { reply: { header: this.#header(), events: shown }, next: revision + 1 }
  }

  #transact({ compare = [], success = [], failure = [] }: Body): unknown {
    const holds = compare.every(({ key, target, mod_revision: revision, value }: Body) => {
      const stored = this.#keys.get(text(key))
      if (target === 'MOD') return (stored?.modified ?? 0) === Number(revision)
      return stored !== undefined && stored.value === text(value)
    })
    const operations = holds ? success : failure
    for (const { request_put: put } of operations)
      if (put !== undefined && put.lease !== '0' && !this.#leases.has(put.lease))
        throw new EtcdRefusal(5, 'etcdserver: requested lease not found')
    const writes = ({ request_put: put, request_delete_range: remove }: Body) =>
      put !== undefined || (remove !== undefined && this.#keys.has(text(remove.key)))
    if (operations.some(writes)) this.#revision++
    const responses = operations.map((operation: Body) => {
      const { request_put: put, request_range: range, request_delete_range: remove } = operation
      if (put !== undefined) this.#put(text(put.key), text(put.value), put.lease)
      else if (remove !== undefined) this.#remove(text(remove.key))
      return range === undefined
        ? { [put === undefined ? 'response_delete_range' : 'response_put']: {} }
        : { response_range: { header: this.#header(), ...this.#range(range) } }
    })
    // protobuf leaves out what is false or empty
    return { header: this.#header(), ...(holds && { succeeded: true }), ...(responses.length > 0 && { responses }) }
  }

  #range(body: Body): object {
    const isOne = this.#isIn(body)
    const limit = Number(body.limit ?? 0) || Number.POSITIVE_INFINITY
    const found = [...this.#keys].filter(([key]) => isOne(key)).sort(([a], [b]) => (a < b ? -1 : 1))
    const kvs = found.slice(0, limit).map(([key, stored]) => this.#shown(key, stored))
    if (found.length === 0) return {}
    return { kvs, count: String(found.length), ...(found.length > limit && { more: true }) }
  }

  #isIn({ key, range_end: end }: Body): (key: string) => boolean {
    const first = text(key)
    return end === undefined ? one => one === first : one => one >= first && one < text(end)
  }

  #shown(key: string, { value, created, modified, version, lease }: Stored): object {
    return {
      ...{ key: base64(key), value: base64(value), version: String(version) },
      ...{ create_revision: String(created), mod_revision: String(modified) },
      ...(lease !== '0' && { lease }),
    }
  }

  #put(key: string, value: string, lease: string): void {
    const before = this.#keys.get(key)
    const stored = {
      ...{ value, lease, modified: this.#revision },
      ...{ created: before?.created ?? this.#revision, version: (before?.version ?? 0) + 1 },
    }
    this.#keys.set(key, stored)
    this.#events.push({ revision: this.#revision, key, stored })
  }

  #remove(key: string): void {
    if (this.#keys.delete(key)) this.#events.push({ revision: this.#revision, key, stored: undefined })
  }

  #expire(): void {
    for (const [id, end] of this.#leases) {
      if (end > this.#now()) continue
      this.#leases.delete(id)
      this.#removeKeysOf(id)
    }
  }

  #removeKeysOf(lease: string): void {
    const keys = [...this.#keys].filter(([, stored]) => stored.lease === lease)
    if (keys.length > 0) this.#revision++
    for (const [key] of keys) this.#remove(key)
  }

  #header() {
    return { cluster_id: '1', member_id: '2', revision: String(this.#revision), raft_term: '2' }
  }
}
