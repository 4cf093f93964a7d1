import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { median, table } from '../statistics.js'
import { makeDisk, mebibyte } from './make-disk.js'
import { group, Place } from './place.js'

const rounds = 3
const disks = [
  { name: '1 GiB of data', size: 1024 * mebibyte, data: 1024 * mebibyte },
  { name: '4 GiB, sparse', size: 4096 * mebibyte, data: 0 },
]
const granule = 65_536

/** How fast all of a disk is compared with its replica, which is equal; and beside it, SHA-256 of the same image in one process. */
export async function benchCompare(): Promise<string> {
  const rows: string[][] = []
  for (const { name, size, data } of disks) {
    await using stack = new Teardowns()
    const place = stack.use(new Place())
    makeDisk(place.image, { size, data })
    await place.startBoth()
    const compared: number[] = []
    const digested: number[] = []
    for (let round = 0; round < rounds; round++) {
      digested.push(size / 1e6 / digest(place.image))
      compared.push(size / 1e6 / (await compare(place)))
    }
    const ratio = median(compared.map((rate, round) => rate / digested[round]!))
    rows.push([name, median(compared).toFixed(0), median(digested).toFixed(0), ratio.toFixed(2)])
  }
  return table([['replication: a disk compared whole', 'MB/s', 'SHA-256 alone', 'ratio'], ...rows])
}

/** In seconds. What was not protected for a while is compared, all of it. */
async function compare(place: Place): Promise<number> {
  await place.ask('agent', 'stop', { group })
  const start = performance.now()
  await place.ask('agent', 'start', { group })
  await place.untilProtected()
  return (performance.now() - start) / 1000
}

/** In seconds. */
function digest(path: string): number {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(granule)
  const start = performance.now()
  while (readSync(file, bytes) > 0) createHash('sha256').update(bytes).digest()
  closeSync(file)
  return (performance.now() - start) / 1000
}
