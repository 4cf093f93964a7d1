import assert from 'node:assert/strict'
import t from 'tap'
import type { Folder } from '#xenlight/replication/folder.js'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import { createRandom } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { emptyMoment } from './journal-model.js'
import { JournalRun } from './journal-run.js'
import { checkJournal } from './verify-journal.js'

const options = { segmentSize: 8192 }

/** A journal of several sealed segments and an open one, closed again. */
async function filled(seed: number): Promise<JournalRun> {
  const run = new JournalRun(new MemoryDisk(), createRandom(seed), options, emptyMoment)
  await run.open()
  for (let step = 0; step < 150; step++) await run.step()
  await run.close()
  return run
}

const segmentsOf = ({ folder }: MemoryDisk): Folder => folder.folder('segments')
const named = (folder: Folder, ending: string): string[] =>
  folder
    .list()
    .filter(name => name.endsWith(ending))
    .sort()

function flip(folder: Folder, name: string, at: number): void {
  const file = folder.open(name, 'write')
  const byte = new Uint8Array(1)
  file.readInto(at, byte)
  byte[0]! ^= 0x10
  file.write(at, byte)
  file.close()
}

t.test('an index that is torn, shorter or not there is made anew, and never believed', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    const run = await filled(seed)
    const random = createRandom(seed)
    const folder = segmentsOf(run.disk)
    for (const name of named(folder, '.idx')) {
      const file = folder.open(name, 'write')
      const { size } = file
      file.close()
      const what = random.int(4)
      if (what === 0) folder.remove(name)
      else if (what === 1) folder.open(name, 'write').truncate(random.int(size))
      else if (what === 2) folder.open(name, 'write').write(random.int(size), new Uint8Array(64))
      else flip(folder, name, random.int(size))
    }
    await run.open()
    await checkJournal(run.journal, run.head, random, 10)
    await run.close()
    const again = await GroupJournal.open(run.disk.folder, options)
    await checkJournal(again, run.head, random, 10)
    await again.close()
  }
  t.pass()
})

t.test(
  'a bit that changed before what was acknowledged last is damage: it is reported, and nothing is skipped',
  async t => {
    let refused = 0
    let shown = 0
    for (let seed = 1; seed <= 30; seed++) {
      const run = await filled(seed)
      const random = createRandom(seed)
      const folder = segmentsOf(run.disk)
      const segments = named(folder, '.seg')
      // of the last segment only a last commit is told by nothing behind it
      const name = random.pick(segments.slice(0, -1))
      const file = folder.open(name, 'read')
      const at = random.int(file.size)
      file.close()
      flip(folder, name, at)
      if (random.chance(0.5)) for (const index of named(folder, '.idx')) folder.remove(index)
      try {
        const journal = await GroupJournal.open(run.disk.folder, options)
        // an index that is whole says nothing of the data: then that must not be shown
        try {
          await checkJournal(journal, run.head, random, 100)
          // no point shows that record any more
          shown++
        } finally {
          await journal.close()
        }
      } catch (error) {
        if (Object(error).code !== 'damaged') throw new Error(`seed ${seed}, byte ${at} of ${name}`, { cause: error })
        refused++
      }
    }
    t.ok(refused > 15, `${refused} refused, ${shown} not concerned`)
  },
)

t.test('a bit that changed in the segment that is appended to is damage too, but for the last commit', async () => {
  const disk = new MemoryDisk()
  const journal = await GroupJournal.open(disk.folder)
  journal.declareVolume({ number: 0, name: 'a', size: 1 << 20 })
  journal.beginStream('s', 0, 'agent')
  await journal.commit()
  for (let sequence = 1; sequence <= 10; sequence++) {
    const place = { channel: 0, sequence, time: sequence }
    journal.append({ kind: 'write', volume: 0, offset: 0, data: new Uint8Array(1000).fill(sequence), ...place })
    await journal.commit()
  }
  await journal.close()
  const [name] = named(segmentsOf(disk), '.seg')
  for (let at = 200; at < 9000; at += 37) {
    const copy = disk.copied()
    flip(segmentsOf(copy), name!, at)
    await assert.rejects(GroupJournal.open(copy.folder), { code: 'damaged' }, `byte ${at}`)
  }
})

t.test('a base that is not what was written, or is not there, is damage', async () => {
  const { disk } = await filled(3)
  for (let at = 0; at < 100; at++) {
    const copy = disk.copied()
    flip(copy.folder, 'base.json', at)
    await assert.rejects(GroupJournal.open(copy.folder), { code: 'damaged' })
  }
  disk.folder.remove('base.json')
  await assert.rejects(GroupJournal.open(disk.folder), { code: 'damaged' })
})

t.test('a segment that is not there is damage', async () => {
  const { disk } = await filled(4)
  const names = named(segmentsOf(disk), '.seg')
  for (const name of names.slice(0, -1)) {
    const copy = disk.copied()
    segmentsOf(copy).remove(name)
    await assert.rejects(GroupJournal.open(copy.folder), { code: 'damaged' }, name)
  }
})

t.test('of a write that was cut into pieces all is there, or nothing', async t => {
  const disk = new MemoryDisk()
  const journal = await GroupJournal.open(disk.folder)
  journal.declareVolume({ number: 0, name: 'a', size: 8 << 20 })
  journal.beginStream('s', 0, 'agent')
  const before = journal.append({ kind: 'settled', channel: 0, sequence: 1, time: 1 })
  await journal.commit()
  const data = new Uint8Array((3 << 20) + 5000).fill(7)
  const behind = journal.append({ kind: 'write', volume: 0, offset: 0, data, channel: 0, sequence: 2, time: 2 })
  t.equal(behind, before + 4)
  await journal.commit()
  await journal.close()
  const [name] = named(segmentsOf(disk), '.seg')
  const opened = segmentsOf(disk).open(name!, 'read')
  const { size } = opened
  opened.close()
  const record = (1 << 20) + 48
  for (const cut of [1, 4999, 5048, 5100, record, 2 * record, 3 * record, 3 * record + 5000]) {
    const copy = disk.copied()
    segmentsOf(copy)
      .open(name!, 'write')
      .truncate(size - cut)
    const again = await GroupJournal.open(copy.folder)
    t.equal(again.last.position, before, `${cut} bytes are missing`)
    t.equal(again.stream?.sequence, 1)
    using view = await again.view(before)
    t.equal(view.read(0, 0, 1)[0], 0)
    using newest = await again.view(again.last.position, { unsettled: true })
    t.equal(newest.read(0, 0, 1)[0], 0, 'its first pieces do not count')
    const next = { channel: 0, sequence: 2, time: 3 }
    t.equal(again.append({ kind: 'write', volume: 0, offset: 0, data: data.subarray(0, 512), ...next }), before + 1)
    await again.commit()
    await again.close()
  }
})
