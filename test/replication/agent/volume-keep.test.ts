import { Buffer } from 'node:buffer'
import t from 'tap'
import { pageSize } from '#xenlight/keep/bitmap-page.js'
import { RecordFile } from '#xenlight/keep/record-file.js'
import { VolumeKeep } from '#xenlight/replication/agent/volume-keep.js'
import { granuleSize } from '#xenlight/replication/wire/message.js'
import { createRandom } from '../../support/random.js'
import { PlayedMeta } from './model/stage.js'

const activity = { extentBlocks: 4, activeExtents: 3, roomAhead: 1 }
const base = { replica: 'r', stream: 's', sequence: 5 }

/** A volume of 40 granules. */
class Volume {
  readonly meta = new PlayedMeta()
  size = 40 * granuleSize
  syncs = 0

  open(boot = 'boot-1', id = 'id'): Promise<VolumeKeep> {
    const files = {
      meta: this.meta,
      syncImage: async () => {
        this.syncs++
      },
      discardMeta: () => {},
    }
    return VolumeKeep.open(files, { id, size: this.size, boot, activity })
  }

  /** One whose bitmap is known to be whole. */
  async trusted(): Promise<VolumeKeep> {
    const keep = await this.open()
    await keep.rebase(base, 1)
    await keep.trust()
    this.syncs = 0
    return keep
  }
}

const runs = (keep: VolumeKeep) => [...keep.marked.runs()].map(({ first, count }) => [first, count])

t.test('what was marked is found by the next process, and no crash of the host hides what is active', async t => {
  const volume = new Volume()
  const keep = await volume.trusted()
  await keep.activate(5, 7)
  keep.mark(5, 7)
  const next = await volume.open()
  t.strictSame(runs(next), [[5, 2]])
  t.strictSame(next.untrusted, [])
  t.match(next.record, { base, compare: null })

  volume.meta.bytes.crash(true, createRandom(1))
  const other = await volume.open('boot-2')
  t.match(other.untrusted, [{ reason: 'host-crash', granules: [{ first: 4, count: 4 }] }])
  t.equal((await volume.open('boot-2')).untrusted.length, 1, 'until all is compared')
  await other.trust()
  t.strictSame((await volume.open('boot-2')).untrusted, [])
})

t.test('an extent leaves the activity log when its bits and the image are durable', async t => {
  const volume = new Volume()
  const keep = await volume.trusted()
  for (const extent of [0, 1, 2]) {
    await keep.activate(extent * 4, extent * 4 + 1)
    keep.mark(extent * 4, extent * 4 + 1)
    keep.release(extent * 4, extent * 4 + 1)
  }
  t.ok(keep.isActive(0, 12))
  t.equal(volume.syncs, 0)
  await keep.activate(30, 31)
  t.equal(volume.syncs, 1)
  t.notOk(keep.isActive(0, 4), 'the one that was used longest ago')
  t.notOk(keep.isActive(4, 8), 'and one more, so that the next finds room')
  volume.meta.bytes.crash(true, createRandom(1))
  const next = await volume.open('boot-1')
  t.strictSame(
    runs(next).filter(([first]) => first! < 8),
    [
      [0, 1],
      [4, 1],
    ],
  )
})

t.test('what cannot be trusted has its reason', async t => {
  const cases: { reason: string; spoil(volume: Volume): void }[] = [
    { reason: 'unreadable-record', spoil: ({ meta }) => meta.bytes.write(0, new Uint8Array(RecordFile.size)) },
    {
      reason: 'torn-page',
      spoil: ({ meta }) => meta.bytes.write(RecordFile.size + pageSize - 512, new Uint8Array(512).fill(1)),
    },
    {
      reason: 'other-size',
      spoil(volume) {
        volume.size += granuleSize
      },
    },
  ]
  for (const { reason, spoil } of cases) {
    const volume = new Volume()
    const keep = await volume.trusted()
    keep.mark(3, 4)
    spoil(volume)
    const found = await volume.open()
    t.match(found.untrusted, [{ reason, granules: [{ first: 0, count: volume.size / granuleSize }] }])
    if (reason === 'torn-page') continue
    t.match((await volume.open()).untrusted, [{ reason }], 'also the next time')
  }
  t.match((await new Volume().open()).untrusted, [{ reason: 'new-volume' }])
  const torn = new Volume()
  await torn.trusted()
  torn.meta.bytes.write(0, Buffer.alloc(RecordFile.size / 2))
  const other = await torn.open()
  t.ok(other.untrusted.length <= 1, 'of one torn slot the other counts')
})

t.test('granules that are equal leave the file, after it says what that rests on', async t => {
  const volume = new Volume()
  const keep = await volume.trusted()
  keep.mark(0, 10)
  const seen: unknown[] = []
  const later = { ...base, sequence: 9 }
  await keep.unmark(
    [0, 1, 2, 20],
    granule => {
      // the record is durable by now
      const bytes = volume.meta.bytes
      const { now } = bytes
      seen.push(Buffer.from(now).includes('"sequence":9'))
      return granule !== 1
    },
    later,
    1,
  )
  t.ok(seen.length > 0 && seen.every(Boolean))
  const next = await volume.open()
  t.strictSame(runs(next), [
    [1, 1],
    [3, 7],
  ])
  t.strictSame(next.record.base, later)
})

t.test('distrusted, all is to be compared by whoever opens it', async t => {
  const volume = new Volume()
  const keep = await volume.trusted()
  await keep.distrust('other-replica')
  t.match((await volume.open()).untrusted, [{ reason: 'other-replica', granules: [{ first: 0, count: 40 }] }])
})

t.test('trusted again, the image is durable first; distrusted meanwhile, it is not', async t => {
  const volume = new Volume()
  const keep = await volume.open()
  await keep.rebase(base, 1)
  await keep.trust()
  t.equal(volume.syncs, 1)
  await keep.trust()
  t.equal(volume.syncs, 1, 'there is nothing to say')
  await keep.distrust('was-unprotected')
  const trusted = keep.trust()
  await keep.distrust('other-replica')
  await trusted
  t.match((await volume.open()).untrusted, [{ reason: 'other-replica' }])
})

t.test('settled, nothing is active', async t => {
  const volume = new Volume()
  const keep = await volume.trusted()
  await keep.activate(0, 8)
  keep.mark(0, 1)
  keep.release(0, 8)
  await keep.settle()
  t.equal(volume.syncs, 1)
  volume.meta.bytes.crash(true, createRandom(1))
  const next = await volume.open('boot-2')
  t.strictSame(next.untrusted, [])
  t.strictSame(runs(next), [[0, 1]])
})

t.test("another volume's metadata is not touched", async t => {
  const volume = new Volume()
  await volume.trusted()
  const before = Buffer.from(volume.meta.bytes.now)
  await t.rejects(volume.open('boot-1', 'another'), { code: 'wrong-state', message: /another/ })
  t.ok(before.equals(volume.meta.bytes.now))
})

t.test('who writes one extent after the other finds the next ones active', async t => {
  const meta = new PlayedMeta()
  const files = { meta, syncImage: async () => {}, discardMeta: () => {} }
  const keep = await VolumeKeep.open(files, { id: 'id', size: 2000 * granuleSize, boot: 'boot' })
  await keep.activate(0, 1)
  t.notOk(keep.isActive(64, 65))
  await keep.activate(64, 65)
  t.ok(keep.isActive(64, 64 * 9))
  t.notOk(keep.isActive(64 * 9, 64 * 9 + 1))
})
