import { setTimeout as delay } from 'node:timers/promises'
import { connectNbd } from 'xenlight/nbd'

const sectorSize = 512
const sectors = 256
/** How long a guest waits for a hub that does not greet, in milliseconds. Once it is connected it waits for ever, as QEMU does. */
const patience = 2000

type Disk = Awaited<ReturnType<typeof connectNbd>>

/** Which number each sector has after so many writes. */
const numberAt = (sector: number, count: number): number =>
  count <= sector ? 0 : count - ((count - 1 - sector) % sectors)

/** How many writes a disk has. @throws Error where it has others than the first so many */
export function countOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const numbers = Array.from({ length: sectors }, (_, sector) => view.getUint32(sector * sectorSize))
  const count = Math.max(...numbers)
  for (const [sector, number] of numbers.entries())
    if (number !== numberAt(sector, count))
      throw new Error(
        `sector ${sector} has the write ${number}, and of ${count} writes it has ${numberAt(sector, count)}`,
      )
  return count
}

export const numberedSize = sectors * sectorSize

/** A guest that writes numbers, one after the other, each to a sector of its own, and has each made durable before it goes on. */
export class NumberedWriter {
  /** How many it was told are durable, and when the last one was. */
  durable = 0
  toldAt = 0
  /** What it found wrong. */
  problem: string | undefined
  reconnects = 0
  readonly #paths: readonly string[]
  readonly #exportName: string
  readonly #over = new AbortController()
  readonly #done: Promise<void>

  /** @param paths where the disk may be served; it tries one after another */
  constructor(paths: readonly string[], exportName: string) {
    this.#paths = paths
    this.#exportName = exportName
    this.#done = this.#live()
  }

  async end(): Promise<void> {
    this.#over.abort()
    await this.#done
  }

  async #live(): Promise<void> {
    for (let at = 0; !this.#over.signal.aborted; at++) {
      try {
        await this.#once(this.#paths[at % this.#paths.length]!)
      } catch {
        // it is served elsewhere, or will be
      }
      if (this.#over.signal.aborted) return
      await delay(50)
    }
  }

  async #once(path: string): Promise<void> {
    const disk = await connectNbd({ path }, { export: this.#exportName, timeout: patience })
    this.reconnects++
    try {
      await this.check(disk)
      while (!this.#over.signal.aborted) {
        const number = this.durable + 1
        const bytes = Buffer.alloc(sectorSize)
        bytes.writeUInt32BE(number)
        await disk.write(((number - 1) % sectors) * sectorSize, bytes)
        await disk.flush()
        this.durable = number
        this.toldAt = performance.now()
        await delay(5)
      }
    } finally {
      void disk.disconnect().catch(() => {})
    }
  }

  /** What it was told is durable has to be there. What came to nothing is written anew, as a guest would after a crash. */
  async check(disk: Pick<Disk, 'read'>): Promise<void> {
    const bytes = await disk.read(0, numberedSize)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (let sector = 0; sector < sectors; sector++) {
      const [number, least] = [view.getUint32(sector * sectorSize), numberAt(sector, this.durable)]
      if (number < least || number > this.durable + 1)
        this.problem ??= `sector ${sector} has the write ${number}, of ${this.durable} that were confirmed it has ${least}`
    }
  }
}
