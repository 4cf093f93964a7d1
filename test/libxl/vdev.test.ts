import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatVdev, parseVdev } from 'xenlight'
import { askLibxl } from '../real/libxl.js'
import { goldenRows } from '../support/golden.js'
import { holds } from '../support/holds.js'
import { realPart } from '../support/real-part.js'

interface Row {
  vdev: string
  devid: number
  disk: number | null
  partition: number | null
}

t.test('parseVdev gives the numbers of the golden file', t => {
  for (const { vdev, devid, disk, partition } of goldenRows<Row>('vdev.jsonl')) {
    const { devid: number = -1, ...location } = parseVdev(vdev) ?? {}
    t.strictSame([number, location], [devid, disk === null ? {} : { disk, partition }], JSON.stringify(vdev))
  }
  t.end()
})

t.test('parseVdev takes long names in linear time', t => {
  const digits = '9'.repeat(2e6)
  t.strictSame(parseVdev(`xvda${digits}`), { devid: -1, disk: 0, partition: -1 })
  t.equal(parseVdev(digits), undefined)
  t.equal(parseVdev(`0x${digits}`), undefined)
  t.equal(parseVdev(`d${' '.repeat(2e6)}`), undefined)
  t.strictSame(parseVdev(`d${'0'.repeat(2e6)}1p0`), { devid: 51728, disk: 1, partition: 0 })
  t.equal(parseVdev(`xvd${'a'.repeat(2e6)}`), undefined)
  t.end()
})

t.test('formatVdev names what users call the devices', t => {
  const cases: [number, string][] = [
    [51712, 'xvda'],
    [51729, 'xvdb1'],
    [51967, 'xvdp15'],
    [(1 << 28) | (16 << 8), 'xvdq'],
    [(1 << 28) | 16, 'xvda16'],
    [(1 << 28) | ((2 ** 20 - 1) << 8) | 255, 'xvdbgqcv255'],
    [768, 'hda'],
    [833, 'hdb1'],
    [5695, 'hdc63'],
    [5632 + 64, 'hdd'],
    [2048, 'sda'],
    [2303, 'sdp15'],
    [0, '0'],
    [768 + 128, '896'],
    [1 << 28, '268435456'],
    [0x7fffffff, '2147483647'],
  ]
  for (const [devid, vdev] of cases) t.equal(formatVdev(devid), vdev)
  t.end()
})

t.test('formatVdev refuses what is no devid', t => {
  for (const devid of [-1, 2 ** 31, 1.5, Number.NaN]) t.throws(() => formatVdev(devid), RangeError, String(devid))
  t.end()
})

t.test('parseVdev gives back every number that formatVdev names', t => {
  const devid = fc.oneof(
    fc.nat(0x7fffffff),
    fc.nat(0xffff),
    fc.nat(0xfffffff).map(minor => (1 << 28) | minor),
  )
  holds(
    t,
    fc.property(devid, number => assert.equal(parseVdev(formatVdev(number))?.devid, number)),
    { numRuns: 5000 },
  )
  t.end()
})

const number = fc
  .tuple(
    fc.constantFrom('', '', ' ', '\t', '\v', '\n '),
    fc.constantFrom('', '', '', '+', '-', '+-'),
    fc.oneof(
      fc.constantFrom('0', '1', '15', '16', '63', '64', '255', '256', '08', '010', '0x', '0x1f', '0Xg', '00'),
      fc.constantFrom('1048575', '1048576', '2147483647', '2147483648', '4294967295', '4294967296'),
      fc.constantFrom('9223372036854775808', '18446744073709551615', '18446744073709551616', '0xffffffffffffffff'),
      fc.nat().map(String),
    ),
    fc.constantFrom('', '', '', ' ', 'x', 'p', '8'),
  )
  .map(parts => parts.join(''))
const letters = fc.string({ unit: fc.constantFrom(...'abcdefpqzA'), maxLength: 5 })
const name = fc.oneof(
  fc.tuple(number, number).map(([disk, partition]) => `d${disk}p${partition}`),
  fc
    .tuple(fc.constantFrom('xvd', 'hd', 'sd', 'xv', 'd', ''), letters, fc.option(number, { nil: '' }))
    .map(parts => parts.join('')),
  number,
)

t.test('parseVdev equals the real libxl on 20,000 generated names', async t => {
  const names = fc.sample(name, 20_000)
  const answers = await realPart(t, () => askLibxl('vdev', names))
  if (!answers) return
  const different = names.filter((vdev, index) => {
    const { devid = -1, disk = 0, partition = 0 } = parseVdev(vdev) ?? {}
    return answers[index] !== `${devid} ${disk} ${partition}`
  })
  t.same(different, [])
})
