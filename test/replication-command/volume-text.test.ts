import t from 'tap'
import { momentText } from '#xenlight/replication-command/moment-text.js'
import { volumeText } from '#xenlight/replication-command/volume-text.js'

const since = Date.UTC(2026, 10, 27, 12) * 1000

t.test('how a volume is protected, in a line', async t => {
  const cases: [state: { state: string; [more: string]: unknown }, text: string][] = [
    [{ state: 'unprotected' }, 'unprotected'],
    [{ state: 'protected', lag: { bytes: 0, seconds: 0.3 } }, 'protected'],
    [{ state: 'protected', lag: { bytes: 1536, seconds: 0.25 } }, 'protected, 1.5 KiB and 0.3 s behind'],
    [
      { state: 'syncing', reason: 'new-volume', bytes: 2048, left: 1024, seconds: 2.2 },
      'syncing [#####     ] 50% 1.0 KiB of 2.0 KiB, 3 s left (nothing was known of the volume)',
    ],
    [
      { state: 'resyncing', reason: 'restart', bytes: 2048, left: 2048 },
      'resyncing [          ] 0% 0 B of 2.0 KiB (the agent was started again)',
    ],
    [
      { state: 'degraded', since, bytes: 65536, why: 'the hub is silent' },
      'degraded since 2026-11-27 12:00:00Z, 64.0 KiB may differ (the hub is silent)',
    ],
    [{ state: 'paused', since, bytes: 0 }, 'paused since 2026-11-27 12:00:00Z, 0 B may differ'],
    [{ state: 'failed', why: 'EIO' }, 'FAILED (EIO)'],
  ]
  for (const [state, text] of cases) t.equal(volumeText(state), text)
})

t.test('what an agent says is not believed, and nothing of it is obeyed', async t => {
  const odd = [Number.NaN, -1, 1e300, 'x', null, {}, [], undefined, true]
  for (const value of odd)
    for (const state of ['protected', 'syncing', 'resyncing', 'degraded', 'paused', 'failed', 'unprotected', 'odd'])
      t.match(
        volumeText({
          state,
          lag: value,
          bytes: value,
          left: value,
          seconds: value,
          since: value,
          why: value,
          reason: value,
        } as never),
        /^\w+/,
      )
  t.equal(volumeText({ state: 'constructor', reason: 'toString' } as never), 'constructor')
  t.match(volumeText({ state: 'syncing', reason: 'constructor' } as never), /\(constructor\)$/)
  t.equal(volumeText({ state: '\x1b[2J', why: 'a\u202eb\n' } as never), '␛[2J (a\ufffdb␊)')
  t.ok(volumeText({ state: 'x'.repeat(1e6), why: 'y'.repeat(1e6) } as never).length < 1200)
})

t.test('a moment to the second', async t => {
  t.equal(momentText(since + 999_999), '2026-11-27 12:00:00Z')
  for (const odd of [undefined, Number.NaN, 1e300, Number.POSITIVE_INFINITY, '1'])
    t.equal(momentText(odd), 'an unknown time')
})
