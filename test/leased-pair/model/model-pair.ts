import type { ServedStatus } from 'xenlight/protocol-d'
import { ProtocolDError } from 'xenlight/protocol-d'
import type { PairDisk } from '#xenlight/leased-pair/pair-disk.js'
import type { ModelProcess } from '../../lease/model/world.js'
import { secondary } from '../played-status.js'

type Connection = 'none' | 'undecided' | 'source' | 'target' | 'equal'

/** What protocol D does with two disks, without its details: what each of them has, and what it knows of the other one. */
export class ModelPair {
  readonly disks: readonly [ModelDisk, ModelDisk]
  isUp = false

  constructor() {
    this.disks = [new ModelDisk(this), new ModelDisk(this)]
  }

  /** The two meet, or lose each other. Whoever is brought up to date has half a copy once it hears of it. */
  link(isUp: boolean): void {
    this.isUp = isUp
    const [first, second] = this.disks
    if (!isUp || !first.isThere || !second.isThere) {
      for (const disk of this.disks) disk.is('none')
      return
    }
    const primary = this.disks.find(({ role }) => role === 'primary')
    if (primary !== undefined) this.copy(primary)
    else if (first.lacksNothingOf(second) && second.lacksNothingOf(first))
      for (const disk of this.disks) disk.is('equal')
    else if (!first.isWhole || !second.isWhole) this.copy(first.isWhole ? first : second)
    else for (const disk of this.disks) disk.is('undecided')
  }

  copy(source: ModelDisk): void {
    const target = this.other(source)
    // of two Primaries one is fenced, and copies nothing
    if (target.role === 'primary' || !source.isWhole) {
      for (const disk of this.disks) disk.is('none')
      return
    }
    source.is('source')
    target.is('target')
    target.soon(() => {
      if (target.connection !== 'target') return
      target.isWhole = false
      target.soon(() => {
        if (target.connection !== 'target') return
        target.take(source)
        source.mayGoOnAlone = false
        for (const disk of this.disks) disk.is('equal')
      })
    })
  }

  other(disk: ModelDisk): ModelDisk {
    return disk === this.disks[0] ? this.disks[1] : this.disks[0]
  }
}

/** One of the two disks, with the process that serves it. */
export class ModelDisk implements PairDisk {
  role: 'primary' | 'secondary' = 'secondary'
  connection: Connection = 'none'
  isWhole = true
  mayGoOnAlone = false
  promotion = 0
  /** The process; undefined where there is none. */
  process: ModelProcess | undefined
  readonly #pair: ModelPair
  #data = new Set<number>()
  readonly #listeners = new Set<() => void>()

  constructor(pair: ModelPair) {
    this.#pair = pair
  }

  get isThere(): boolean {
    return this.process !== undefined
  }

  get asksAlone(): boolean {
    return this.role === 'primary' && this.connection !== 'equal' && !this.mayGoOnAlone
  }

  lacks(writes: ReadonlySet<number>): number | undefined {
    for (const write of writes) if (!this.#data.has(write)) return write
    return undefined
  }

  lacksNothingOf(other: ModelDisk): boolean {
    return this.lacks(other.#data) === undefined
  }

  take(source: ModelDisk): void {
    this.#data = new Set(source.#data)
    this.isWhole = true
  }

  /** A guest writes. @returns whether it may be told that nothing of it is lost */
  write(write: number): boolean {
    if (this.asksAlone) return false
    this.#data.add(write)
    if (this.connection === 'equal') this.#pair.other(this).#data.add(write)
    return true
  }

  is(connection: Connection): void {
    this.connection = connection
    this.changed()
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Has something happen to its process. */
  soon(call: () => void): void {
    const { process } = this
    process?.later(20, () => process === this.process && call())
  }

  begin(process: ModelProcess | undefined): void {
    this.process = process
    this.role = 'secondary'
    this.mayGoOnAlone = false
    this.#listeners.clear()
  }

  status(): ServedStatus {
    const { role, connection, promotion, asksAlone } = this
    return secondary({ role, connection, promotion, asksAlone, disk: this.isWhole ? 'consistent' : 'inconsistent' })
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => this.#listeners.delete(changed)
  }

  promote({ number }: { number: number }): Promise<void> {
    return this.#change(() => {
      const peer = this.#pair.other(this)
      if (!this.isWhole) throw new ProtocolDError('not-promotable', 'half a copy')
      if (number <= this.promotion) throw new ProtocolDError('number-over', 'the number is over')
      if (this.connection !== 'none' && peer.role === 'primary')
        throw new ProtocolDError('peer-is-primary', 'it is Primary itself')
      this.role = 'primary'
      this.promotion = number
      if (this.connection !== 'none') peer.promotion = Math.max(peer.promotion, number)
      if (this.connection === 'undecided') this.#pair.copy(this)
      this.changed()
    })
  }

  demote(): Promise<void> {
    return this.#change(() => {
      this.role = 'secondary'
      this.mayGoOnAlone = false
      this.changed()
    })
  }

  async discardOwnChanges(): Promise<void> {}

  #change(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.soon(() => {
        try {
          work()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
