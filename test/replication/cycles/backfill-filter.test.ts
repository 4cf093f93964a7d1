import fc from 'fast-check'
import t from 'tap'
import { MemoryBackend } from 'xenlight/nbd'
import { BackfillFilter } from '#xenlight/replication/cycles/backfill-filter.js'
import { backfillSink, liveSink } from '#xenlight/replication/cycles/live-sinks.js'

const size = 4 * 65_536

/** Edges of granules more often than chance has them. */
const at = fc.oneof(
  fc.integer({ min: 0, max: size - 1 }),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -2, max: 2 }))
    .map(([index, near]) => Math.max(0, index * 65_536 + near)),
)
const range = fc
  .tuple(at, fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: size }), fc.constant(65_536)))
  .map(([offset, length]) => ({ offset, length: Math.min(length, size - offset) }))
const step = fc.record({ range, isLive: fc.boolean(), isZero: fc.boolean(), byte: fc.integer({ min: 1, max: 255 }) })

t.test('what passes is what no live write has touched, to the byte', async t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const filter = new BackfillFilter(size)
      const written = new Uint8Array(size)
      for (const { range, isLive } of steps) {
        if (isLive) {
          filter.wrote(range)
          written.fill(1, range.offset, range.offset + range.length)
          continue
        }
        const passing = filter.passes(range)
        const passed = new Uint8Array(size)
        let end = range.offset
        for (const { offset, length } of passing) {
          if (length <= 0 || offset < end) throw new Error('the parts are in no order')
          end = offset + length
          passed.fill(1, offset, end)
        }
        if (end > range.offset + range.length) throw new Error('more passes than came')
        for (let at = range.offset; at < range.offset + range.length; at++)
          if (passed[at] === written[at]) throw new Error(`byte ${at}`)
      }
    }),
    { numRuns: 400 },
  )
  t.pass()
})

t.test('a live stream and a backfill beside it give the disk, in whatever order they come', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(), async (steps, cut) => {
      const disk = new MemoryBackend(size)
      const replica = new MemoryBackend(size)
      const filter = new BackfillFilter(size)
      const live = liveSink(replica, filter)
      const backfill = backfillSink(replica, filter)
      const apply = (to: { write: typeof disk.write; writeZeroes: typeof disk.writeZeroes }, one: (typeof steps)[0]) =>
        one.isZero
          ? to.writeZeroes(one.range.offset, one.range.length)
          : to.write(one.range.offset, new Uint8Array(one.range.length).fill(one.byte))
      const before = cut % steps.length
      for (const one of steps.slice(0, before)) apply(disk, one)
      // the disk's moment, granule by granule, between the writes
      const moment = disk.read(0, size)
      const pieces = Array.from({ length: 4 }, (_, index) => index)
      for (const one of steps.slice(before)) {
        apply(disk, one)
        await apply(live as typeof disk, one)
        if (!one.isLive) continue
        const index = pieces.shift()
        if (index !== undefined)
          await backfill.write(index * 65_536, moment.subarray(index * 65_536, (index + 1) * 65_536))
      }
      for (const index of pieces) {
        const piece = moment.subarray(index * 65_536, (index + 1) * 65_536)
        if (piece.some(byte => byte !== 0)) await backfill.write(index * 65_536, piece)
        else await backfill.writeZeroes(index * 65_536, piece.length)
      }
      if (!Buffer.from(replica.read(0, size)).equals(disk.read(0, size))) throw new Error('they differ')
    }),
    { numRuns: 200 },
  )
  t.pass()
})
