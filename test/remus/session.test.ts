import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { RemusSession } from 'xenlight/remus'

const order = ['suspend', 'postsuspend', 'copyMemory', 'preresume', 'resume', 'sendCheckpoint', 'commit'] as const
type Step = (typeof order)[number]

/** A session whose nth call of a step fails, and what was called. */
async function play(fails: { step: Step; epoch: number }, stopAt: number, resumeFails: boolean, slow: number) {
  const calls: string[] = []
  const counts = new Map<string, number>()
  const step = (name: Step | 'teardown') => async () => {
    calls.push(name)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (slow > 0) await delay(slow)
    if (name === 'commit' && count === stopAt) void session.stop()
    if (name === fails.step && count === fails.epoch) throw new Error(`${name} fails`)
    if (name === 'resume' && resumeFails && count >= fails.epoch) throw new Error('resume fails')
  }
  const device = {
    setup: async () => {},
    postsuspend: step('postsuspend'),
    preresume: step('preresume'),
    commit: step('commit'),
    teardown: step('teardown'),
  }
  const kind = { name: 'played', match: async () => ({ device }) }
  const devices = await setUpCheckpoints(['xvda'], [kind], { nameOf: name => name })
  const session = new RemusSession({
    devices,
    interval: 0,
    hooks: {
      suspend: step('suspend'),
      copyMemory: step('copyMemory'),
      resume: step('resume'),
      sendCheckpoint: step('sendCheckpoint'),
    },
  })
  const end = await session.start()
  const epochs = []
  for await (const { epoch } of session.epochs) epochs.push(epoch)
  return { calls, end, epochs }
}

t.test('whatever fails: libxl’s order, teardown, and the guest goes on', async t => {
  const { SEED } = process.env
  const seed = Number(SEED ?? Date.now() % 2 ** 31)
  t.comment(`SEED=${seed}`)
  const failure = fc.record({ step: fc.constantFrom(...order), epoch: fc.integer({ min: 1, max: 4 }) })
  await fc.assert(
    fc.asyncProperty(
      failure,
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 1 }),
      async (fails, stopAt, resumeFails, slow) => {
        const { calls, end, epochs } = await play(fails, stopAt, resumeFails, slow)
        const isFailed = fails.epoch <= stopAt || (resumeFails && fails.epoch <= stopAt)
        const committed = isFailed ? fails.epoch - 1 : stopAt
        const step = resumeFails && order.indexOf(fails.step) > order.indexOf('resume') ? 'resume' : fails.step
        const expected: string[] = Array.from({ length: committed }, () => order).flat()
        if (isFailed) {
          expected.push(...order.slice(0, order.indexOf(step) + 1))
          if (order.indexOf(step) < order.indexOf('resume')) expected.push('resume')
        }
        expected.push('teardown')
        const guest =
          !isFailed || order.indexOf(step) > order.indexOf('resume')
            ? 'running'
            : step !== 'resume' && !resumeFails
              ? 'running'
              : step === 'suspend'
                ? 'unknown'
                : 'suspended'
        const seen = {
          calls,
          committed: end.committed,
          reason: end.reason,
          guest: end.guest,
          failed: end.failure?.step,
          epochs: epochs.at(-1) ?? 0,
        }
        const right = {
          calls: expected,
          committed,
          reason: isFailed ? 'failed' : 'stopped',
          guest,
          failed: isFailed ? step : undefined,
          epochs: committed,
        }
        if (JSON.stringify(seen) !== JSON.stringify(right))
          throw new Error(`${JSON.stringify(seen)}\nis not\n${JSON.stringify(right)}`)
      },
    ),
    { seed, numRuns: 300 },
  )
})

t.test('an aborted signal breaks an epoch off, and the guest is resumed', async t => {
  const over = new AbortController()
  let resumed = 0
  const device = {
    setup: async () => {},
    postsuspend: async () => over.abort(),
    preresume: async () => {},
    commit: async () => {},
    teardown: async () => {},
  }
  const devices = await setUpCheckpoints(['xvda'], [{ name: 'k', match: async () => ({ device }) }], {
    nameOf: name => name,
  })
  const hooks = { suspend: async () => {}, resume: async () => void resumed++ }
  const end = await new RemusSession({ devices, hooks, signal: over.signal }).start()
  t.match(end, { reason: 'failed', committed: 0, guest: 'running' })
  t.equal(resumed, 1)
})

t.test('whoever aborts, and whenever: a guest that stood still goes on', async t => {
  for (const aborting of order) {
    const over = new AbortController()
    const calls: string[] = []
    const step =
      (name: Step) =>
      async ({ signal }: { signal?: AbortSignal | undefined } = {}) => {
        calls.push(name)
        if (name !== aborting) return
        over.abort()
        // as a hook does that is on its way
        if (name === 'resume') signal?.throwIfAborted()
      }
    const teardowns: unknown[] = []
    const end = await new RemusSession({
      // ends what it has begun, whatever the signal says
      devices: {
        postsuspend: step('postsuspend'),
        preresume: step('preresume'),
        commit: step('commit'),
        teardown: async (options: unknown) => void teardowns.push(options),
      } as never,
      hooks: {
        suspend: step('suspend'),
        copyMemory: step('copyMemory'),
        resume: step('resume'),
        sendCheckpoint: step('sendCheckpoint'),
      },
      signal: over.signal,
    }).start()
    t.equal(end.guest, 'running', aborting)
    t.equal(calls.filter(name => name === 'resume').length, 1, `${aborting}: resumed once`)
    t.strictSame(teardowns, [{ goesOn: true }], aborting)
    t.equal(end.committed, aborting === 'commit' ? 1 : 0, aborting)
  }
})

t.test('an interval that no timer counts to is refused', async t => {
  const devices = { postsuspend() {}, preresume() {}, commit() {}, teardown() {} } as never
  const hooks = { suspend: async () => {}, resume: async () => {} }
  for (const interval of [2 ** 31, Number.POSITIVE_INFINITY, -1, Number.NaN])
    t.throws(() => new RemusSession({ devices, hooks, interval }), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /^interval must be a number of milliseconds up to 2147483647, not /,
    })
  t.doesNotThrow(() => new RemusSession({ devices, hooks, interval: 2 ** 31 - 1 }))
})
