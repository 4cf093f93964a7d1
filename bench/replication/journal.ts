import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import { table } from '../statistics.js'
import { atLeast } from './goal.js'
import { mebibyte } from './make-disk.js'
import { PlainFolder } from './plain-folder.js'

const volume = { number: 0, name: 'disk', size: 8 * 1024 ** 3 }
/** How long is written, in milliseconds. */
const time = 5000

interface Case {
  name: string
  size: number
  compress: boolean
  goal?: { of: 'megabytes' | 'records'; least: number }
}

const cases: readonly Case[] = [
  { name: '4 KiB', size: 4096, compress: false, goal: { of: 'records', least: 20_000 } },
  { name: '1 MiB', size: mebibyte, compress: false, goal: { of: 'megabytes', least: 300 } },
  { name: '64 KiB, deflated', size: 65_536, compress: true },
]

/** What the hub's journal writes, folds and opens, without all that stands around it. */
export async function benchJournal(): Promise<string> {
  const rows: string[][] = []
  for (const one of cases) {
    const path = mkdtempSync(join(tmpdir(), 'journal-'))
    try {
      rows.push(await measure(path, one))
    } finally {
      rmSync(path, { recursive: true })
    }
  }
  const columns = ['MB/s', 'records/s', 'CPU %', 'longest ms', 'folded MB/s', 'opened ms', 'first read ms', 'goal']
  return table([["replication: the hub's journal", ...columns], ...rows])
}

async function measure(path: string, { name, size, compress, goal }: Case): Promise<string[]> {
  const limits = { bytes: 64 * mebibyte }
  const journal = await GroupJournal.open(new PlainFolder(path), { limits, compress })
  const { records, seconds, cpu, longest } = await append(journal, size)
  const rates = { megabytes: (records * size) / seconds / 1e6, records: records / seconds }
  await journal.close()
  const opening = performance.now()
  const again = await GroupJournal.open(new PlainFolder(path), { limits })
  const opened = performance.now()
  {
    using view = await again.view(again.last.settled!.position)
    view.read(0, 0, 65_536)
  }
  const read = performance.now() - opened
  const { journalBytes } = again.usage()
  const folding = performance.now()
  await again.trim()
  const folded = (journalBytes - again.usage().journalBytes) / (performance.now() - folding) / 1000
  await again.close()
  const figures = [rates.megabytes, rates.records, cpu, longest, folded, opened - opening, read]
  return [
    name,
    ...figures.map(one => one.toFixed(0)),
    goal === undefined ? '' : `${goal.of}, ${atLeast(rates[goal.of], goal.least)}`,
  ]
}

/** As a hub does: a commit follows each of some messages that come together, and at most so many wait for the disk. */
async function append(journal: GroupJournal, size: number) {
  journal.declareVolume(volume)
  journal.beginStream('bench', 0, 'bench')
  const data = new Uint8Array(size)
  for (let at = 0; at < size; at += 4) data[at] = Math.random() * 256
  const begin = performance.now()
  const before = process.cpuUsage()
  let sequence = 0
  let waiting = 0
  let longest = 0
  let failed: unknown
  let wake = () => {}
  const append = (kind: 'settled' | 'write') => {
    const place = { channel: 0, sequence: ++sequence, time: Date.now() * 1000 }
    const offset = Math.floor((Math.random() * volume.size) / size) * size
    if (kind === 'settled') journal.append({ kind, ...place })
    else journal.append({ kind, volume: 0, offset, data, ...place })
  }
  append('settled')
  while (performance.now() - begin < time && failed === undefined) {
    const turn = performance.now()
    for (let n = 0; n < Math.max(1, Math.min(64, mebibyte / size)); n++) append('write')
    waiting++
    journal.commit().then(
      () => {
        waiting--
        wake()
      },
      error => {
        failed = error
        wake()
      },
    )
    if (waiting >= 16)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    await new Promise(resolve => setImmediate(resolve))
    longest = Math.max(longest, performance.now() - turn)
  }
  await journal.commit()
  const taken = performance.now() - begin
  const { user, system } = process.cpuUsage(before)
  return { records: sequence, seconds: taken / 1000, cpu: (user + system) / 10 / taken, longest }
}
