// What the hub's journal writes: node build/bench/replication-journal.js [FOLDER]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import { PlainFolder } from './plain-folder.js'

const volume = { number: 0, name: 'disk', size: 8 * 1024 ** 3 }

/** Appends as a hub does: a commit follows each of some messages that come together, and at most so many wait for the disk. */
async function measure(path: string, size: number, seconds: number, compress: boolean): Promise<void> {
  const limits = { bytes: 64 * 1024 ** 2 }
  const journal = await GroupJournal.open(new PlainFolder(path), { limits, compress })
  journal.declareVolume(volume)
  journal.beginStream('bench', 0, 'bench')
  const data = new Uint8Array(size)
  for (let at = 0; at < size; at += 4) data[at] = Math.random() * 256
  const begin = performance.now()
  const cpu = process.cpuUsage()
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
  while (performance.now() - begin < seconds * 1000 && failed === undefined) {
    const turn = performance.now()
    for (let n = 0; n < Math.max(1, Math.min(64, (1024 * 1024) / size)); n++) append('write')
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
  const took = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const rate = `${Math.round((sequence * size) / took / 1e6)} MB/s, ${Math.round(sequence / took)} records/s`
  const used = `CPU ${Math.round((user + system) / 1e4 / took)} %, longest wait ${Math.round(longest)} ms`
  console.log(
    `${size} B${compress ? ', deflated' : ''}: ${rate}, ${used}, ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
  )
  await journal.close()
  const opening = performance.now()
  const again = await GroupJournal.open(new PlainFolder(path), { limits })
  const opened = performance.now()
  {
    using view = await again.view(again.last.settled!.position)
    view.read(0, 0, 65536)
  }
  const first = performance.now()
  const { journalBytes, segments } = again.usage()
  console.log(
    `  opened (${segments} segments, ${Math.round(journalBytes / 1e6)} MB) in ${Math.round(opened - opening)} ms, first read ${Math.round(first - opened)} ms`,
  )
  const folding = performance.now()
  await again.trim()
  const folded = journalBytes - again.usage().journalBytes
  const foldTime = performance.now() - folding
  console.log(`  folded ${Math.round(folded / 1e6)} MB at ${Math.round(folded / foldTime / 1000)} MB/s`)
  await again.close()
}

const parent = process.argv[2] ?? tmpdir()
for (const [size, compress] of [
  [4096, false],
  [1024 * 1024, false],
  [65536, true],
] as const) {
  const path = mkdtempSync(join(parent, 'journal-'))
  try {
    await measure(path, size, 5, compress)
  } finally {
    rmSync(path, { recursive: true })
  }
}
