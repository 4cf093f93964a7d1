import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type BlockBackend, type BlockExtent, connectNbd, listenNbd, type NbdClient } from 'xenlight/nbd'
import { socketFolder } from './socket-folder.js'

/** What a backend returns is its owner's word, and not believed. */

const size = 1000

async function client(t: Test, more: Partial<Record<keyof BlockBackend, unknown>>): Promise<NbdClient> {
  const backend = {
    size,
    read: () => {},
    write: () => {},
    writeZeroes: () => {},
    trim: () => {},
    flush: () => {},
    ...more,
  }
  const path = join(socketFolder(t), 's')
  const server = await listenNbd({ path }, [{ name: '', backend: backend as unknown as BlockBackend }])
  t.teardown(() => server.close())
  return connectNbd({ path })
}

const later = (value: unknown) => new Promise(resolve => setImmediate(resolve, value))
const own = (value: unknown) => ({
  // biome-ignore lint/suspicious/noThenProperty: a promise of another kind
  then: (resolve: (value: unknown) => void) => setImmediate(resolve, value),
})

t.test('a read that returns what is not what was asked is EIO, and the next one is served', async t => {
  for (const [what, bytes] of [
    ['too few bytes', new Uint8Array(9)],
    ['no bytes', new Uint8Array()],
    ['too many bytes', new Uint8Array(11)],
    ['nothing', undefined],
    ['null', null],
    ['a text', 'x'.repeat(10)],
    ['an array', new Array(10).fill(0)],
  ] as const)
    for (const [when, give] of Object.entries({
      'at once': (value: unknown) => value,
      later,
      'later, in its own way': own,
    })) {
      let isWrong = true
      const disk = await client(t, { read: () => give(isWrong ? bytes : new Uint8Array(10).fill(5)) })
      await t.rejects(disk.read(0, 10), { name: 'NbdError', code: 'EIO' }, `${what}, ${when}`)
      isWrong = false
      t.strictSame([...(await disk.read(0, 10))], new Array(10).fill(5), `after ${what}, ${when}`)
      await disk.disconnect()
    }
})

t.test('extents are those of the request, or EIO', async t => {
  const extent = (length: unknown, hole: unknown = false) => ({ length, hole, zero: hole })
  const cases: [string, unknown, BlockExtent[] | undefined][] = [
    ['longer than the request', [extent(2 ** 33)], [{ length: 100, hole: false, zero: false }]],
    [
      'more of them than there is room',
      [extent(60), extent(60, true), extent(1)],
      [
        { length: 60, hole: false, zero: false },
        { length: 40, hole: true, zero: true },
      ],
    ],
    ['of no bytes', [extent(0), extent(100)], undefined],
    ['of less than none', [extent(-5)], undefined],
    ['of half a byte', [extent(0.5)], undefined],
    ['of no number', [extent(Number.NaN)], undefined],
    ['nothing', [undefined], undefined],
    ['none', [], undefined],
    ['no list', 'none', undefined],
  ]
  for (const [what, given, wanted] of cases)
    for (const give of [(value: unknown) => value, later]) {
      const disk = await client(t, { blockStatus: () => give(given) })
      if (wanted === undefined) await t.rejects(disk.blockStatus(0, 100), { code: 'EIO' }, what)
      else t.strictSame(await disk.blockStatus(0, 100), wanted, what)
      await disk.flush()
      await disk.disconnect()
    }
})

t.test('FUA waits for a promise of another kind too', async t => {
  const log: string[] = []
  const disk = await client(t, {
    write: () => {
      log.push('write')
      return {
        // biome-ignore lint/suspicious/noThenProperty: a promise of another kind
        then: (resolve: () => void) =>
          setImmediate(() => {
            log.push('written')
            resolve()
          }),
      }
    },
    flush: () => {
      log.push('flush')
    },
  })
  await disk.write(0, Buffer.of(1), { fua: true })
  t.strictSame(log, ['write', 'written', 'flush'])
  await disk.disconnect()
})
