import assert from 'node:assert/strict'
import t from 'tap'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import type { JournalLimits } from '#xenlight/replication/journal/journal-options.js'
import { MemoryDisk } from '../memory-folder.js'

const kib = 1024

/** A journal of one volume, that writes are appended to. */
class Writer {
  readonly disk = new MemoryDisk()
  journal!: GroupJournal
  #sequence = 0
  readonly #limits: JournalLimits
  /** How far the clock of the records has jumped, in microseconds. */
  jumped = 0
  /** The journal's own one, in seconds. */
  readonly #now: (() => number) | undefined

  private constructor(limits: JournalLimits, now?: () => number) {
    this.#limits = limits
    this.#now = now
  }

  static async open(limits: JournalLimits, now?: () => number): Promise<Writer> {
    const writer = new Writer(limits, now)
    await writer.reopen()
    writer.journal.declareVolume({ number: 0, name: 'disk', size: 64 * kib })
    writer.journal.beginStream('stream', 0, 'agent')
    return writer
  }

  async reopen(): Promise<void> {
    await this.journal?.close()
    this.journal = await GroupJournal.open(this.disk.folder, {
      ...{ segmentSize: 4 * kib, limits: this.#limits, now: this.#now },
    })
  }

  /** One a second. @returns its position */
  mark(mark: { kind: 'settled' } | { kind: 'unsettled'; reason: string } | { kind: 'point'; name: string }): number {
    return this.journal.append({ ...mark, ...this.#place() })
  }

  /** So many KiB in writes of 1 KiB, one a second. @returns the last one's position */
  async write(count: number, value: number): Promise<number> {
    for (let n = 0; n < count; n++) {
      const data = new Uint8Array(kib).fill(value)
      this.journal.append({ kind: 'write', volume: 0, offset: (n % 64) * kib, data, ...this.#place() })
      await this.journal.commit()
    }
    return this.journal.last.position
  }

  async first(position: number): Promise<number | undefined> {
    using view = await this.journal.view(position)
    return view.read(0, 0, 1)[0]
  }

  #place(): { channel: number; sequence: number; time: number } {
    const sequence = ++this.#sequence
    return { channel: 0, sequence, time: sequence * 1_000_000 + this.jumped }
  }

  /** After a message was not taken. */
  forgetLost(): void {
    this.#sequence = this.journal.stream?.sequence ?? 0
  }
}

t.test('history is kept as long as was asked for, and not much longer', async t => {
  const writer = await Writer.open({ history: 30_000_000 })
  writer.mark({ kind: 'settled' })
  const last = await writer.write(100, 1)
  await writer.journal.trim()
  const [{ from } = assert.fail()] = writer.journal.history()
  t.ok(from.time <= 101e6 - 30e6 && from.time > 101e6 - 40e6, `from ${from.time}`)
  t.throws(() => writer.journal.positionAt(50e6), { code: 'no-such-point' })
  t.equal(writer.journal.positionAt(71e6), last - 30)
  t.ok(writer.journal.usage().imageBytes > 0)
  await writer.journal.close()
})

t.test('a clock that jumps ahead makes nothing old', async t => {
  let now = 1e15
  const writer = await Writer.open({ history: 30_000_000 }, () => now)
  const live = async (count: number) => {
    for (let second = 0; second < count; second++) {
      now += 1e6
      await writer.write(1, 1)
    }
  }
  writer.mark({ kind: 'settled' })
  await live(25)
  const first = writer.journal.history()[0]!.from.position
  writer.jumped = 365 * 86_400e6
  for (let round = 0; round < 2; round++) {
    await live(2)
    await writer.journal.trim()
    t.equal(writer.journal.history()[0]!.from.position, first, 'the hub knows better')
    await writer.reopen()
  }
  await live(40)
  await writer.journal.trim()
  t.ok(writer.journal.history()[0]!.from.position > first, 'by both clocks it is old')
  // nor does a jump of the hub's
  const { from } = writer.journal.history()[0]!
  now += 365 * 86_400e6
  await writer.journal.trim()
  t.equal(writer.journal.history()[0]!.from.position, from.position)
  await writer.journal.close()
})

t.test('the last point stays while the replica is not settled, however much comes; after that it goes', async t => {
  const writer = await Writer.open({ bytes: 10 * kib })
  writer.mark({ kind: 'unsettled', reason: 'a first copy' })
  await writer.write(64, 1)
  await writer.journal.trim()
  t.ok(writer.journal.usage().journalBytes < 20 * kib, 'of a first copy nothing is kept')
  writer.mark({ kind: 'settled' })
  const settled = await writer.write(1, 2)
  writer.mark({ kind: 'unsettled', reason: 'a resync' })
  await writer.write(64, 3)
  await writer.journal.trim()
  t.ok(writer.journal.usage().journalBytes > 64 * kib)
  t.equal(await writer.first(settled), 2)
  await writer.reopen()
  t.equal(await writer.first(settled), 2)
  t.match(writer.journal.last, { settled: { position: settled }, isSettled: false, reason: 'a resync' })
  writer.mark({ kind: 'settled' })
  await writer.write(10, 4)
  await writer.journal.trim()
  t.ok(writer.journal.usage().journalBytes < 20 * kib)
  await t.rejects(writer.first(settled), { code: 'no-such-point' })
  await writer.journal.close()
})

t.test('a named checkpoint that is kept stays, until its time, also when it is opened again', async t => {
  const writer = await Writer.open({ bytes: 10 * kib })
  writer.mark({ kind: 'settled' })
  await writer.write(10, 1)
  const position = writer.mark({ kind: 'point', name: 'before-the-update' })
  await writer.write(1, 2)
  await writer.journal.keepPoint('before-the-update', 150e6)
  for (let round = 0; round < 2; round++) {
    await writer.write(40, 3)
    await writer.journal.trim()
    t.equal(writer.journal.findPoint('before-the-update').position, position)
    t.equal(await writer.first(position), 1)
    await writer.reopen()
  }
  await writer.write(100, 4)
  await writer.journal.trim()
  t.throws(() => writer.journal.findPoint('before-the-update'), { code: 'not-found' })
  await writer.journal.close()
})

t.test('at its hard limit it takes no more, and goes on when the view that was in the way is closed', async t => {
  const writer = await Writer.open({ bytes: 10 * kib, hardBytes: 30 * kib })
  writer.mark({ kind: 'settled' })
  const position = await writer.write(1, 1)
  const view = await writer.journal.view(position)
  await t.rejects(writer.write(60, 2), { code: 'full' })
  t.equal(writer.journal.state, 'full')
  await writer.journal.trim()
  t.equal(writer.journal.state, 'full')
  t.equal(view.read(0, 0, 1)[0], 1)
  view.close()
  await writer.journal.trim()
  t.equal(writer.journal.state, 'taking')
  writer.forgetLost()
  await writer.write(5, 3)
  await writer.journal.close()
})

t.test('on a disk without room nothing that was acknowledged is lost, and it goes on when there is some', async t => {
  const writer = await Writer.open({})
  writer.mark({ kind: 'settled' })
  await writer.write(5, 1)
  for (let more = 0; more < 3 * kib; more += 97) {
    writer.disk.room = writer.disk.used + more
    const { position } = writer.journal.last
    await t.rejects(writer.write(10, 2), { code: 'full' })
    t.ok(writer.journal.last.position >= position)
    await writer.journal.trim()
    t.equal(writer.journal.state, 'full')
    t.throws(() => writer.mark({ kind: 'settled' }), { code: 'full' })
    const copy = await GroupJournal.open(writer.disk.copied().folder)
    t.equal(copy.last.position, writer.journal.last.position)
    await copy.close()
    writer.disk.room = Number.POSITIVE_INFINITY
    await writer.journal.trim()
    t.equal(writer.journal.state, 'taking')
    writer.forgetLost()
  }
  const last = await writer.write(3, 9)
  t.equal(await writer.first(last), 9)
  await writer.journal.close()
})

t.test('a disk that fails: what was acknowledged can be read, nothing is taken any more', async t => {
  const writer = await Writer.open({})
  writer.mark({ kind: 'settled' })
  const last = await writer.write(5, 1)
  writer.disk.before = operation => {
    if (operation === 'sync') throw Object.assign(new Error('played'), { code: 'EIO' })
  }
  await t.rejects(writer.write(1, 2), { code: 'file-failed' })
  t.equal(writer.journal.state, 'failed')
  t.throws(() => writer.mark({ kind: 'settled' }), { code: 'file-failed' })
  t.equal(await writer.first(last), 1)
  writer.disk.before = () => {}
  await writer.reopen()
  t.ok(writer.journal.last.position >= last)
  await writer.journal.close()
})

t.test('a crash in a fold that was begun while a checkpoint was to be kept', async t => {
  const writer = await Writer.open({ bytes: 10 * kib })
  writer.mark({ kind: 'settled' })
  const early = await writer.write(5, 1)
  await writer.write(30, 1)
  await writer.write(10, 2)
  writer.mark({ kind: 'point', name: 'late' })
  await writer.write(1, 3)
  const { disk } = writer
  let left: MemoryDisk | undefined
  disk.before = (operation, name) => {
    if (operation === 'sync' && name === 'disk.img') left ??= disk.copied()
  }
  const kept = writer.journal.keepPoint('late')
  // it is being written
  await Promise.resolve()
  await Promise.resolve()
  await writer.journal.trim()
  await kept
  const after = await GroupJournal.open(left!.folder)
  await t.rejects(after.view(early), { code: 'no-such-point' }, 'some of what came after it is in the image')
  await after.close()
  await writer.journal.close()
})

t.test('other limits hold at once', async t => {
  const writer = await Writer.open({ history: 1000_000_000 })
  writer.mark({ kind: 'settled' })
  await writer.write(100, 1)
  for (const name of ['one', 'two', 'three']) writer.mark({ kind: 'point', name })
  await writer.journal.commit()
  await writer.journal.trim()
  const names = () => [...writer.journal.points()].map(({ name }) => name)
  const [{ from } = assert.fail()] = writer.journal.history()
  t.ok(from.time <= 1e6)
  t.strictSame(names(), ['one', 'two', 'three'])

  writer.journal.limit({ history: 30_000_000, names: 2 })
  t.strictSame(names(), ['two', 'three'])
  await writer.journal.trim()
  const [{ from: then } = assert.fail()] = writer.journal.history()
  t.ok(then.time > 60e6 && then.time <= 74e6, `from ${then.time}`)
  writer.journal.limit({ bytes: 10 * kib })
  await writer.journal.trim()
  t.ok(writer.journal.usage().journalBytes < 20 * kib)
  await writer.journal.close()
})
