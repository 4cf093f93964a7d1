import type { Catalogue } from '../lease/catalogue.js'
import type { LeaseKeeper } from '../lease/lease-keeper.js'
import type { PairNode } from './pair-node.js'
import { type PairRecord, pairKey, readPairRecord } from './pair-record.js'
import type { KnownRecord } from './why-not-promoted.js'

/** What is written about a promotion. */
export interface Writing {
  keeper: LeaseKeeper
  isAlone: boolean
  nbd: string
  /** An operator's, where the node is promoted against its advice. */
  reason: string | undefined
}

/** What a node knows of its pair's record, and has written there under a lease. */
export class KnownPair {
  readonly #catalogue: Catalogue
  readonly #name: string
  readonly #self: PairNode
  #record: KnownRecord = 'unknown'
  /** The lease under which it was read. */
  #readUnder: LeaseKeeper | undefined
  #written: { keeper: LeaseKeeper; isAlone: boolean } | undefined

  /** @param name of the lease */
  constructor(catalogue: Catalogue, name: string, self: PairNode) {
    this.#catalogue = catalogue
    this.#name = name
    this.#self = self
  }

  get record(): KnownRecord {
    return this.#record
  }

  /** Of the last promotion; 0 where none is known. */
  get promotion(): number {
    return typeof this.#record === 'string' ? 0 : this.#record.promotion
  }

  /** Whether it was read under that lease: nobody else has written it since. */
  isFresh(keeper: LeaseKeeper | undefined): boolean {
    return keeper !== undefined && this.#readUnder === keeper
  }

  /** What it says by that lease; `nothing` where that is not known. */
  recorded(keeper: LeaseKeeper | undefined): 'nothing' | 'equal' | 'alone' {
    const written = this.#written
    if (written === undefined || written.keeper !== keeper) return 'nothing'
    return written.isAlone ? 'alone' : 'equal'
  }

  /** Whatever was read may be old. */
  forget(): void {
    this.#record = 'unknown'
    this.#readUnder = undefined
    this.#written = undefined
  }

  /** @param keeper the lease that is held meanwhile @throws LeaseError; nothing is known then */
  async read(keeper: LeaseKeeper | undefined, signal: AbortSignal): Promise<void> {
    this.forget()
    const found = await this.#catalogue.get(this.#name, pairKey, { signal })
    this.#record = found === undefined ? 'none' : (readPairRecord(found.value) ?? 'unreadable')
    this.#readUnder = keeper
  }

  /** @throws LeaseError; whether it was written is not known then */
  async write({ keeper, isAlone, nbd, reason }: Writing, signal: AbortSignal | undefined): Promise<void> {
    const record = this.#next(keeper.epoch, isAlone, nbd, reason)
    this.#written = undefined
    const signals = signal === undefined ? keeper.signal : AbortSignal.any([signal, keeper.signal])
    await this.#catalogue.put(keeper.grant, pairKey, record, { signal: signals })
    this.#record = record
    this.#written = { keeper, isAlone }
  }

  #next(promotion: number, isAlone: boolean, nbd: string, reason: string | undefined): PairRecord {
    const self = this.#self
    const before = typeof this.#record === 'string' ? undefined : this.#record
    const others = before?.nodes.filter(({ side }) => side !== self.side) ?? []
    return {
      ...{ nodes: [...others, self], primary: self, nbd, promotion },
      alone: isAlone ? self : null,
      state: isAlone ? 'alone' : 'equal',
      forced: reason === undefined ? (before?.forced ?? null) : { node: self, promotion, reason },
      isForced: isAlone && (reason !== undefined || before?.isForced === true),
    }
  }
}
