import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readBase } from '#xenlight/replication/journal/base-file.js'
import { isData, isZero } from '#xenlight/replication/journal/record.js'
import type { TableRecord } from '#xenlight/replication/journal/record-table.js'
import { recover } from '#xenlight/replication/journal/recover.js'
import { NodeFolder } from '#xenlight/replication/node/node-folder.js'
import { granuleSize } from '#xenlight/replication/wire/message.js'
import { placeOf } from '../../guest/numbered-disks.js'
import { group, type ReplicaPlace } from './replica-place.js'

const sectorSize = 512

/** What came to make the replica equal, from its last moment to the next one. */
export interface Resent {
  /** How many of the guest's writes the moment before has, and the one behind it; the latter is undefined where none came. */
  had: number
  has: number | undefined
  /** How often it was begun. */
  attempts: number
  /** By disk and granule, as `granuleKey` says, how many bytes. */
  granules: Map<string, number>
}

export const granuleKey = (disk: number, granule: number): string => `${disk}.${granule}`

/** The granule that a number is written to. */
export function granuleOf(place: ReplicaPlace, number: number): string {
  const { disk, sector } = placeOf(place.options.guest, number)
  return granuleKey(disk, Math.floor((sector * sectorSize) / granuleSize))
}

export interface Trace {
  /** How many moments were looked at. */
  moments: number
  resent: readonly Resent[]
}

/**
 * Reads all that a hub, which is not running, has ever taken: each of its moments has to be a prefix of the guest's writes, in their order.
 *
 * @throws Error where one is not
 */
export async function traceJournal(place: ReplicaPlace): Promise<Trace> {
  const path = join(place.options.data, 'groups', group, '1', 'journal')
  if (!existsSync(path)) throw new Error(`the hub has no journal: ${path}`)
  const folder = NodeFolder.open(path)
  const { store, state } = await recover(folder.folder('segments'), readBase(folder)!)
  const replay = new Replay(
    place,
    [...state.volumes.values()].map(({ number, name }) => ({ number, disk: place.names.indexOf(name) })),
  )
  try {
    for (const segment of store.all)
      for (const record of store.table(segment).records()) {
        const bytes = isData(record.kind) && !isZero(record.kind)
        replay.take(record, bytes ? store.record(segment.number, record.at).payload : undefined)
      }
  } finally {
    store.close()
  }
  return { moments: replay.moments, resent: replay.resent }
}

/** The replica, record by record. */
class Replay {
  readonly #place: ReplicaPlace
  readonly #disks: ReadonlyMap<number, number>
  readonly #images: Buffer[]
  readonly resent: Resent[] = []
  moments = 0
  #isSettled = false
  #writes = 0

  constructor(place: ReplicaPlace, volumes: readonly { number: number; disk: number }[]) {
    this.#place = place
    this.#disks = new Map(volumes.map(({ number, disk }) => [number, disk]))
    this.#images = place.names.map(() => Buffer.alloc(place.options.size))
  }

  take(record: TableRecord, payload: Uint8Array | undefined): void {
    const { kind, position } = record
    if (kind === 'settled') this.#settled(position)
    else if (kind === 'unsettled') this.#unsettled()
    else if (isData(kind)) this.#changed(record, payload)
  }

  #settled(position: number): void {
    let has: number
    try {
      has = this.#place.writesIn(this.#images)
    } catch (error) {
      throw new Error(`what settled at #${position}: ${(error as Error).message}`, { cause: error })
    }
    if (has < this.#writes)
      throw new Error(`what settled at #${position} has ${has} writes, and the moment before had ${this.#writes}`)
    const resent = this.resent.at(-1)
    if (!this.#isSettled && resent !== undefined) resent.has = has
    this.#isSettled = true
    this.#writes = has
    this.moments++
  }

  #unsettled(): void {
    const before = this.resent.at(-1)
    if (this.#isSettled) this.resent.push({ had: this.#writes, has: undefined, attempts: 1, granules: new Map() })
    else if (before !== undefined) before.attempts++
    this.#isSettled = false
  }

  #changed({ kind, volume, offset, length, position }: TableRecord, payload: Uint8Array | undefined): void {
    const disk = this.#disks.get(volume)!
    const image = this.#images[disk]!
    const before = this.#isSettled ? this.#numbers(disk, offset, length) : []
    if (payload === undefined) image.fill(0, offset, offset + length)
    else image.set(payload, offset)
    if (this.#isSettled) {
      this.moments++
      for (const [index, { sector, number }] of this.#numbers(disk, offset, length).entries())
        if (number !== before[index]!.number) this.#wrote(number, disk, sector, position)
    } else if (kind === 'fill' || kind === 'fillZero') this.#filled(disk, offset, length)
  }

  /** The guest's next write, and no other one. */
  #wrote(number: number, disk: number, sector: number, position: number): void {
    const its = placeOf(this.#place.options.guest, number)
    if (number !== this.#writes + 1 || its.disk !== disk || its.sector !== sector)
      throw new Error(
        `#${position} writes number ${number} to sector ${sector} of disk ${disk}, after ${this.#writes} writes`,
      )
    this.#writes = number
  }

  #filled(disk: number, offset: number, length: number): void {
    const granules = this.resent.at(-1)?.granules
    for (let at = offset; granules !== undefined && at < offset + length; ) {
      const granule = Math.floor(at / granuleSize)
      const end = Math.min(offset + length, (granule + 1) * granuleSize)
      const key = granuleKey(disk, granule)
      granules.set(key, (granules.get(key) ?? 0) + end - at)
      at = end
    }
  }

  /** The numbers in the sectors of the guest that a part touches. */
  #numbers(disk: number, offset: number, length: number): { sector: number; number: number }[] {
    const { sectors } = this.#place.options.guest
    const first = Math.max(1, Math.floor(offset / sectorSize))
    const last = Math.min(sectors, Math.ceil((offset + length) / sectorSize) - 1)
    const found: { sector: number; number: number }[] = []
    for (let sector = first; sector <= last; sector++)
      found.push({ sector, number: this.#images[disk]!.readUInt32LE(sector * sectorSize) })
    return found
  }
}
