import { Buffer } from 'node:buffer'
import { outOfRange, wrongType } from '../../check-argument.js'
import type { Catalogue, CatalogueChange, CatalogueRecord } from '../catalogue.js'
import { checkGrant, signalOf } from '../check-grant.js'
import type { LeaseClock } from '../lease-clock.js'
import { LeaseError } from '../lease-error.js'
import { checkName, isLeaseName } from '../lease-name.js'
import type { Grant, StoreOptions } from '../lease-store.js'
import { newAttempt } from '../new-attempt.js'
import { followRange } from './follow-range.js'
import type { Gateway } from './gateway.js'
import { holderText } from './holder-value.js'
import { withPrefix } from './key-range.js'
import type { KeyValue } from './key-value.js'
import type { LeaseKeys } from './lease-keys.js'
import { readRange } from './read-range.js'
import { readRecord, recordText } from './record-value.js'
import { hasValue, put, read, remove, transact, unchanged } from './transaction.js'

/** How long a record may be, in bytes of JSON. */
const recordAtMost = 64 * 1024
/** How often a writing is tried again that another one of the same holder came before. */
const triesAtMost = 8

/** Records in etcd. Each is written in one transaction that asks who has its lease. */
export class EtcdCatalogue implements Catalogue {
  readonly #gateway: Gateway
  readonly #clock: LeaseClock
  readonly #keys: LeaseKeys

  constructor(gateway: Gateway, clock: LeaseClock, keys: LeaseKeys) {
    this.#gateway = gateway
    this.#clock = clock
    this.#keys = keys
  }

  async put(grant: Grant, key: string, value: unknown, options?: StoreOptions): Promise<void> {
    checkGrant(grant)
    const json = jsonOf(value)
    if (Buffer.byteLength(json) > recordAtMost) throw outOfRange('value', `at most ${recordAtMost} bytes of JSON`, json)
    await this.#write(grant, key, recordText({ epoch: grant.epoch, write: newAttempt(), value }), options)
  }

  async remove(grant: Grant, key: string, options?: StoreOptions): Promise<void> {
    await this.#write(grant, key, undefined, options)
  }

  async get(name: string, key: string, options?: StoreOptions): Promise<CatalogueRecord | undefined> {
    checkName('name', name)
    checkName('key', key)
    signalOf(options)
    const { read: found } = await transact(this.#gateway, { success: [read(this.#keys.record(name, key))] }, options)
    return found[0] && this.#recordOf(found[0])
  }

  async list(name?: string, options?: StoreOptions): Promise<CatalogueRecord[]> {
    if (name !== undefined) checkName('name', name)
    signalOf(options)
    const { keys } = await readRange(this.#gateway, withPrefix(this.#keys.records(name)), options)
    return keys.map(key => this.#recordOf(key))
  }

  watch(name?: string, options?: StoreOptions): AsyncGenerator<CatalogueChange, undefined> {
    if (name !== undefined) checkName('name', name)
    return this.#watch(name, signalOf(options))
  }

  async *#watch(name: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<CatalogueChange, undefined> {
    const range = withPrefix(this.#keys.records(name))
    const [gateway, clock] = [this.#gateway, this.#clock]
    const readAll = () => readRange(gateway, range, { signal })
    /** In which revision each was written, as far as the reader was told. */
    const told = new Map<string, string>()
    for await (const update of followRange({ gateway, clock, range, readAll, signal })) {
      if ('keys' in update) {
        const there = new Set(update.keys.map(({ key }) => key))
        for (const key of [...told.keys()].filter(one => !there.has(one))) {
          told.delete(key)
          yield this.#removed(key)
        }
      }
      const all = 'keys' in update ? update.keys.map(key => ({ key, isRemoved: false })) : update.events
      for (const { key, isRemoved } of all) {
        if (isRemoved) {
          if (told.delete(key.key)) yield this.#removed(key.key)
        } else if (told.get(key.key) !== key.modRevision) {
          told.set(key.key, key.modRevision)
          yield this.#recordOf(key)
        }
      }
    }
  }

  /** Writes or removes a record, where its lease is the grant's. A writing that is done twice, the second time later, changes nothing then. */
  async #write(grant: Grant, key: string, text: string | undefined, options: StoreOptions | undefined): Promise<void> {
    checkGrant(grant)
    checkName('key', key)
    signalOf(options)
    const { name, holder, attempt, epoch } = grant
    const held = hasValue(this.#keys.holder(name), holderText({ holder, attempt, epoch }))
    const at = this.#keys.record(name, key)
    let found = (await transact(this.#gateway, { success: [read(at)] }, options)).read[0]
    for (let tries = 0; tries < triesAtMost; tries++) {
      const transaction = {
        compare: [held, unchanged(at, found?.modRevision ?? '0')],
        success: [text === undefined ? remove(at) : put(at, text)],
        failure: [read(at), read(this.#keys.holder(name))],
      }
      const { succeeded, read: now } = await transact(this.#gateway, transaction, options)
      if (succeeded || now[0]?.value === text) return
      if (now[1]?.value !== holderText({ holder, attempt, epoch }))
        throw new LeaseError(
          'lost',
          `the lease ${name} of epoch ${epoch} is another's, or has ended: ${key} was not written`,
        )
      found = now[0]
    }
    throw new LeaseError('unreachable', `others write the record ${key} of ${name} all the time`)
  }

  #recordOf(key: KeyValue): CatalogueRecord {
    const { value, epoch } = readRecord(key.value)
    return { ...this.#nameOf(key.key), value, epoch }
  }

  #removed(key: string): CatalogueChange {
    return { ...this.#nameOf(key), value: undefined }
  }

  #nameOf(path: string): { name: string; key: string } {
    const [name = '', key = ''] = path.slice(this.#keys.records().length).split('/')
    if (!isLeaseName(name) || !isLeaseName(key))
      throw new LeaseError('protocol', 'a key among the records is none of a record')
    return { name, key }
  }
}

/** @throws TypeError */
function jsonOf(value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch {
    // a circle, or a bigint
  }
  if (json === undefined) throw wrongType('value', 'JSON', value)
  return json
}
