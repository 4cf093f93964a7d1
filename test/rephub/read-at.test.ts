import fc from 'fast-check'
import t from 'tap'
import { readAt, timeText } from '#xenlight/rephub/read-at.js'

const now = Date.UTC(2026, 10, 27, 12)

t.test('a moment is a time, a while ago, a position or a name', t => {
  const cases: [text: string | undefined, at: object][] = [
    [undefined, { newest: true }],
    ['3s-ago', { time: (now - 3000) * 1000 }],
    ['1.5h-ago', { time: (now - 5_400_000) * 1000 }],
    ['2026-11-27T11:59:57Z', { time: (now - 3000) * 1000 }],
    ['2026-11-27T12:59:57.25+01:00', { time: (now - 2750) * 1000 }],
    ['2026-11-27T12:00:00.000001Z', { time: now * 1000 + 1 }],
    ['#42', { position: 42 }],
    ['before-upgrade', { name: 'before-upgrade' }],
    ['3s', { name: '3s' }],
    ['2026-11-27', { name: '2026-11-27' }],
  ]
  for (const [text, at] of cases) t.strictSame(readAt(text, now), at, String(text))
  for (const text of [
    '',
    '-3s',
    '2026-13-27T12:00:00Z',
    '2026-11-27T12:00:00',
    '#',
    'a b',
    '../x',
    '#1234567890123456',
  ])
    t.throws(() => readAt(text, now), { name: 'UsageError' }, text)
  t.end()
})

t.test('a time that is written is read as the same', t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), time => {
      const at = readAt(timeText(time), now)
      return 'time' in at && at.time === time
    }),
  )
  t.end()
})
