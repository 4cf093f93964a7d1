import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isFilling, overlayFill } from '#xenlight/colo/overlay-fill.js'

const node = { nodeName: 'n', file: '/a', actualSize: 300, virtualSize: 1000 }

t.test('how full an overlay is', async t => {
  const files: string[] = []
  const fill = await overlayFill('hidden', node, async file => {
    files.push(file)
    return 70
  })
  t.strictSame(fill, { overlay: 'hidden', file: '/a', used: 300, size: 1000, free: 70 })
  t.strictSame(files, ['/a'])
  const unknown = { overlay: 'active', file: '/a', used: undefined, size: 1000, free: undefined }
  t.strictSame(await overlayFill('active', { ...node, actualSize: undefined }, undefined), unknown)
})

t.test('free space that cannot be asked for stays unknown', async t => {
  const failing = [() => Promise.reject(new Error('no')), () => Promise.resolve(undefined)]
  const throwing = () => {
    throw new Error('no')
  }
  for (const ask of [...failing, throwing]) t.equal((await overlayFill('active', node, ask)).free, undefined)
})

const fill = { overlay: 'active', file: '/a', size: 1000 } as const
const cases: [used: number | undefined, free: number | undefined, isFilling: boolean][] = [
  [0, undefined, false],
  // it may still grow by 900, and has less than a fifth left
  [100, 24, true],
  [100, 25, false],
  [800, 199, true],
  [800, 200, false],
  // it cannot grow by more than what is left
  [950, 50, false],
  [950, 49, true],
  [1000, 0, false],
  [1100, 0, false],
  [undefined, 0, false],
  [1, 0, true],
]
for (const [used, free, expected] of cases)
  t.test(`${used} of 1000 used, ${free} left: ${expected ? 'it is filling' : 'it is not'}`, async t => {
    t.equal(isFilling({ ...fill, used, free }), expected)
  })

t.test('what its file system has room for is never filling', async () => {
  const size = fc.integer({ min: 0, max: 2 ** 40 })
  fc.assert(
    fc.property(size, size, size, (size, used, more) => {
      assert.ok(!isFilling({ ...fill, size, used, free: Math.max(0, size - used) + more }))
    }),
  )
})
