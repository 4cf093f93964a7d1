import { createHash } from 'node:crypto'
import type { Random } from '../support/random.js'
import { type RawClient, requestOf } from './raw-client.js'

const [read, write, flush] = [0, 1, 3]
const fua = 1
const sectorSize = 512

/** A request of a log: nothing of it is data, as a sector's contents follow from the write's number. */
export interface LoggedRequest {
  kind: number
  flags: number
  offset: number
  length: number
}

/** As a file system would: many at places that are used again and again, some large, some durable. */
export function makeLog(count: number, size: number, largest: number, random: Random): LoggedRequest[] {
  const sectors = size / sectorSize
  const hot = Array.from({ length: 32 }, () => random.int(sectors))
  return Array.from({ length: count }, () => {
    const kind = random.chance(0.08) ? flush : random.pick([read, read, write, write, write])
    if (kind === flush) return { kind, flags: 0, offset: 0, length: 0 }
    const first = random.chance(1 / 3) ? random.int(sectors) : random.pick(hot)
    const most = random.chance(1 / 8) ? largest / sectorSize : 16
    const length = Math.min(1 + random.int(most), sectors - first)
    const flags = kind === write && random.chance(1 / 8) ? fua : 0
    return { kind, flags, offset: first * sectorSize, length: length * sectorSize }
  })
}

/** What a sector holds after the write of that number: other bytes for each sector and write. */
function contentsOf(sector: number, number: number): Buffer {
  if (number === 0) return Buffer.alloc(sectorSize)
  const digest = createHash('sha512').update(`${sector} ${number}`).digest()
  return Buffer.concat(Array.from({ length: sectorSize / digest.length }, () => digest))
}

interface Sector {
  /** The number of the last write that was answered. */
  written: number
  reading: number
  writing: number
}

/** Replays a log with as many requests at once as its order allows, and holds each sector that is read against what was written there. */
export class LogReplay {
  readonly #client: RawClient
  readonly #log: readonly LoggedRequest[]
  readonly #sectors = new Map<number, Sector>()
  readonly #underWay = new Map<bigint, { request: LoggedRequest; number: number }>()
  #next = 0
  mostAtOnce = 0

  constructor(client: RawClient, log: readonly LoggedRequest[]) {
    this.#client = client
    this.#log = log
  }

  async run(): Promise<void> {
    while (this.#next < this.#log.length || this.#underWay.size > 0) {
      while (this.#next < this.#log.length && this.#underWay.size < 128 && !this.#mustWait(this.#log[this.#next]!))
        this.#send(this.#log[this.#next]!, ++this.#next)
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay.size)
      await this.#hear()
    }
  }

  /** Not while a write to its place is under way, nor a write while a read of it is. */
  #mustWait(request: LoggedRequest): boolean {
    return this.#touched(request).some(
      ([, { reading, writing }]) => writing > 0 || (request.kind === write && reading > 0),
    )
  }

  #send(request: LoggedRequest, number: number): void {
    const { kind, flags, offset, length } = request
    // numbers as far apart as 64 bits allow: they come back as they are
    const cookie = (BigInt(number) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn
    this.#underWay.set(cookie, { request, number })
    const touched = this.#touched(request)
    for (const [, sector] of touched) sector[kind === write ? 'writing' : 'reading']++
    const data = kind === write ? touched.map(([index]) => contentsOf(index, number)) : []
    this.#client.send(requestOf(kind, offset, length, flags, cookie), ...data)
  }

  async #hear(): Promise<void> {
    const { error, cookie } = await this.#client.reply()
    const found = this.#underWay.get(cookie)
    if (found === undefined) throw new Error(`a reply to ${cookie}, which is not under way`)
    const { request, number } = found
    if (error !== 0) throw new Error(`request ${number} (${JSON.stringify(request)}) failed with ${error}`)
    this.#underWay.delete(cookie)
    const data = request.kind === read ? await this.#client.take(request.length) : undefined
    for (const [at, [index, sector]] of this.#touched(request).entries()) {
      sector[request.kind === write ? 'writing' : 'reading']--
      if (request.kind === write) sector.written = number
      const is = data?.subarray(at * sectorSize, (at + 1) * sectorSize)
      if (is !== undefined && !is.equals(contentsOf(index, sector.written)))
        throw new Error(`sector ${index}, read by request ${number}, is not as request ${sector.written} wrote it`)
    }
  }

  #touched({ offset, length }: LoggedRequest): [number, Sector][] {
    const first = offset / sectorSize
    return Array.from({ length: length / sectorSize }, (_, index) => {
      let sector = this.#sectors.get(first + index)
      if (sector === undefined) {
        sector = { written: 0, reading: 0, writing: 0 }
        this.#sectors.set(first + index, sector)
      }
      return [first + index, sector]
    })
  }
}
