import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createReplicatedDisk, ReplicatedDisk, type ReplicatedDiskOptions } from 'xenlight/protocol-d'
import { eventually } from './eventually.js'
import { SlowWay } from './slow-way.js'

export const megabyte = 1024 * 1024

/** Two nodes of this machine, and their folder. */
export interface DiskPair {
  folder: string
  first: ReplicatedDisk
  second: ReplicatedDisk
  /** What is between them, where it has a rate. */
  way: SlowWay | undefined
  contents(name: 'a' | 'b'): Buffer
}

type More = Partial<ReplicatedDiskOptions>

/** Two nodes of one machine that hold the same; the first is Primary. */
export async function pairOf(
  t: Test,
  size: number,
  { first = {}, second = {}, rate }: { first?: More; second?: More; rate?: number } = {},
): Promise<DiskPair> {
  const folder = mkdtempSync(join(tmpdir(), 'replicated-disk-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['a', 'b'])
    await createReplicatedDisk({ data: join(folder, name), size, pair: 'pair', logSize: 64 * megabyte })
  const path = join(folder, 'peer')
  const a = await open(t, { data: join(folder, 'a'), pair: 'pair', peer: { listen: { path } }, ...first })
  await a.promote({ force: true })
  const way = rate === undefined ? undefined : new SlowWay(join(folder, 'way'), path, rate)
  await way?.listening
  t.teardown(() => way?.close())
  const connect = { path: way === undefined ? path : join(folder, 'way') }
  const b = await open(t, { data: join(folder, 'b'), pair: 'pair', peer: { connect }, ...second })
  await bothEqual(a, b)
  return { folder, first: a, second: b, way, contents: name => readFileSync(join(folder, name)) }
}

/** Opens a node, which the test closes. */
export async function open(t: Test, options: ReplicatedDiskOptions): Promise<ReplicatedDisk> {
  const disk = await ReplicatedDisk.open(options)
  t.teardown(() => disk.close())
  return disk
}

export const bothEqual = (...disks: ReplicatedDisk[]): Promise<void> =>
  eventually(
    'both hold the same',
    () => disks.every(disk => disk.status().connection === 'equal'),
    () => JSON.stringify(disks.map(disk => disk.status())),
  )

export const allAcknowledged = (disk: ReplicatedDisk): Promise<void> =>
  eventually('the other one has all', () => disk.status().differing === 0)

export const filled = (value: number, length: number) => Buffer.alloc(length, value)
