import t from 'tap'
import { readBase } from '#xenlight/replication/journal/base-file.js'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import { namesAtMost } from '#xenlight/replication/journal/named-points.js'
import { recover } from '#xenlight/replication/journal/recover.js'
import { MemoryDisk } from '../memory-folder.js'

/** A journal that points are named in, one a second. */
class Namer {
  readonly disk = new MemoryDisk()
  journal!: GroupJournal
  #sequence = 0
  #time = 0
  readonly #names: number | undefined
  readonly #segmentSize: number | undefined

  private constructor(names: number | undefined, segmentSize: number | undefined) {
    this.#names = names
    this.#segmentSize = segmentSize
  }

  static async open(names?: number, segmentSize?: number): Promise<Namer> {
    const namer = new Namer(names, segmentSize)
    await namer.reopen()
    namer.journal.declareVolume({ number: 0, name: 'disk', size: 64 * 1024 })
    namer.journal.beginStream('stream', 0, 'agent')
    namer.#mark({ kind: 'settled' })
    return namer
  }

  async reopen(): Promise<void> {
    await this.journal?.close()
    const limits = { names: this.#names }
    this.journal = await GroupJournal.open(this.disk.folder, { segmentSize: this.#segmentSize, limits })
  }

  /** @returns the positions of the points with these names */
  async name(...names: string[]): Promise<number[]> {
    const positions = names.map(name => this.#mark({ kind: 'point', name }))
    await this.journal.commit()
    return positions
  }

  /** Another stream goes on from there. */
  rewind(position: number): void {
    this.journal.rewind(position)
    this.journal.beginStream('another stream', 0, 'agent')
    this.#sequence = 0
  }

  get names(): string[] {
    return [...this.journal.points()].map(({ name }) => name!)
  }

  /** Is the same before and after it is opened again, with and without the segments' indexes. */
  async each(look: (when: string) => void): Promise<void> {
    look('before')
    await this.reopen()
    look('opened again')
    const segments = this.disk.folder.folder('segments')
    for (const file of segments.list()) if (file.endsWith('.idx')) segments.remove(file)
    await this.reopen()
    look('without indexes')
  }

  #mark(mark: { kind: 'settled' } | { kind: 'point'; name: string }): number {
    this.#time += 1_000_000
    return this.journal.append({ ...mark, channel: 0, sequence: ++this.#sequence, time: this.#time })
  }
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

t.test('of more names than there may be the oldest are forgotten, and the moments stay', async t => {
  // all in one segment, or in many
  for (const segmentSize of [undefined, 1024]) {
    const namer = await Namer.open(10, segmentSize)
    const positions = await namer.name(...numbered('n', 25))
    await namer.each(when => {
      t.strictSame(namer.names, numbered('n', 25).slice(15), when)
      t.throws(() => namer.journal.findPoint('n14'), { code: 'not-found' })
      t.match(namer.journal.findPoint('n15'), { position: positions[15] })
      t.match(namer.journal.pointAt(positions[3]!), { position: positions[3] })
    })
    ;(await namer.journal.view(positions[3]!)).close()
    await namer.name('one-more')
    t.strictSame(namer.names, [...numbered('n', 25).slice(16), 'one-more'])
    await namer.journal.close()
  }
})

t.test('a name that is given again and again pushes out no other', async t => {
  for (const segmentSize of [undefined, 1024]) {
    const namer = await Namer.open(10, segmentSize)
    await namer.name('before-the-update')
    const positions = await namer.name(...Array(200).fill('hourly'))
    await namer.each(when => {
      t.strictSame(namer.names, ['before-the-update', 'hourly'], when)
      t.match(namer.journal.findPoint('hourly'), { position: positions.at(-1) })
    })
    await namer.journal.close()
  }
})

t.test('nor does one that was undone', async t => {
  for (const segmentSize of [undefined, 1024]) {
    const namer = await Namer.open(10, segmentSize)
    const [, then] = await namer.name('a', 'b')
    await namer.name('a', ...numbered('undone', 9))
    t.strictSame(namer.names, ['a', ...numbered('undone', 9)], 'the oldest is forgotten')
    namer.rewind(then!)
    await namer.name('c')
    await namer.each(when => t.strictSame(namer.names, ['a', 'b', 'c'], when))
    await namer.name(...numbered('n', 7))
    await namer.each(when => t.strictSame(namer.names, ['a', 'b', 'c', ...numbered('n', 7)], when))
    await namer.journal.close()
  }
})

t.test('a checkpoint that is kept keeps its name; at most half of them are kept', async t => {
  const namer = await Namer.open(4, 1024)
  const [first] = await namer.name('first', 'second', 'third')
  await namer.journal.keepPoint('first')
  await namer.journal.keepPoint('first', 1e15)
  await namer.journal.keepPoint('second')
  await t.rejects(namer.journal.keepPoint('third'), { code: 'full' })
  await namer.name(...numbered('n', 30))
  await namer.each(when => {
    t.strictSame(namer.names, ['first', 'second', 'n28', 'n29'], when)
    t.match(namer.journal.findPoint('first'), { position: first })
  })
  await namer.journal.releasePoint('first')
  await namer.name('last')
  await namer.each(when => t.strictSame(namer.names, ['second', 'n28', 'n29', 'last'], when))
  // one whose time is over is in nobody's way
  await namer.journal.keepPoint('n28', 1)
  await namer.journal.keepPoint('n29')
  await namer.journal.close()
})

t.test('an agent that names points for ever costs no more memory, nor what a segment says of them', async t => {
  const namer = await Namer.open(100)
  const count = 2.5 * namesAtMost
  await namer.name('kept')
  await namer.journal.keepPoint('kept')
  for (let at = 0; at < count; at += 1000) await namer.name(...numbered(`n${at}-`, 1000))
  t.equal(namer.names.length, 100)
  await namer.journal.close()
  const { folder } = namer.disk
  const load = async () => {
    const { store, points } = await recover(folder.folder('segments'), readBase(folder)!, 100)
    const current = store.current!.index.points.all.length
    store.close()
    return { current, all: points.all.length }
  }
  const { current, all } = await load()
  t.ok(all <= 200, `${all} of all segments`)
  t.ok(current <= 2 * namesAtMost, `${current} of one`)
  await namer.reopen()
  t.equal(namer.names[0], 'kept')
  t.equal(namer.names.at(-1), `n${count - 1000}-999`)
  t.equal(namer.names.length, 100)
  await namer.journal.close()
})
