import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { type CheckpointDevice, CheckpointError, type CheckpointKind, setUpCheckpoints } from 'xenlight/checkpoint'
import { eventually } from '../protocol-d/eventually.js'

type Step = keyof CheckpointDevice

/** A disk of a test: which kind takes it, and the step that fails, or never ends by itself. */
interface Disk {
  name: string
  kind?: string
  fails?: Step
  hangs?: Step
}

/** Kinds that keep a record of what they were asked to do. Stands for any kind: the frame knows none. */
function kinds(log: string[], ...names: string[]): CheckpointKind<Disk>[] {
  return names.map(name => ({
    name,
    async match(disk) {
      if (disk.kind !== name) return { mismatch: `${disk.name} is not mine` }
      const step =
        (step: Step) =>
        async ({ signal }: { signal: AbortSignal }) => {
          log.push(`${step} ${disk.name}`)
          if (disk.hangs === step) {
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          }
          await delay(0)
          log.push(`${step} ${disk.name} done`)
          if (disk.fails === step) throw new Error(`no ${step}`)
        }
      const steps = ['setup', 'postsuspend', 'preresume', 'commit', 'teardown'] as const
      return { device: Object.fromEntries(steps.map(name => [name, step(name)])) as unknown as CheckpointDevice }
    },
  }))
}

const nameOf = ({ name }: Disk) => name
const disks = (...more: Partial<Disk>[]): Disk[] => more.map((disk, at) => ({ name: `d${at}`, kind: 'a', ...disk }))
const counted = (log: readonly string[], step: Step) =>
  log.filter(line => line.startsWith(step) && line.endsWith('done'))

t.test('a checkpoint: each step for all disks before the next', async t => {
  const log: string[] = []
  {
    await using devices = await setUpCheckpoints(disks({}, { kind: 'b' }), kinds(log, 'a', 'b'), { nameOf })
    await devices.postsuspend()
    await devices.preresume()
    await devices.commit()
    await devices.postsuspend()
  }
  const order = ['setup', 'postsuspend', 'preresume', 'commit', 'postsuspend', 'teardown']
  t.strictSame(
    log,
    order.flatMap(step => [`${step} d0`, `${step} d1`, `${step} d0 done`, `${step} d1 done`]),
  )
})

t.test('a disk that no kind takes: what each kind says, nothing is set up, and what was taken is let go', async t => {
  const log: string[] = []
  const failing = setUpCheckpoints(disks({}, { kind: 'x', name: 'xvd\u001bb' }), kinds(log, 'a', 'b'), { nameOf })
  await t.rejects(failing, {
    code: 'no-kind',
    step: 'match',
    failures: [{ index: 1, disk: 'xvd␛b' }],
    message: 'xvd␛b cannot be put under checkpoints: a: xvd␛b is not mine; b: xvd␛b is not mine',
  })
  t.strictSame(log, ['teardown d0', 'teardown d0 done'])
  await t.rejects(setUpCheckpoints(disks({}), [], { nameOf }), { code: 'no-kind', message: /there is no kind to ask/ })
})

t.test('steps in another order are refused, and change nothing', async t => {
  const log: string[] = []
  const devices = await setUpCheckpoints(disks({}), kinds(log, 'a'), { nameOf })
  await t.rejects(devices.commit(), { code: 'wrong-order', message: 'commit cannot follow setup' })
  const first = devices.postsuspend()
  await t.rejects(devices.postsuspend(), { code: 'wrong-order' }, 'nor two at once')
  await first
  await devices.preresume()
  await devices.teardown()
  await t.rejects(devices.commit(), { code: 'wrong-order', message: 'commit cannot follow teardown' })
  t.strictSame(counted(log, 'commit'), [])
})

t.test('a setup that takes too long is aborted, and torn down when it has ended', async t => {
  const log: string[] = []
  const failing = setUpCheckpoints(disks({}, { hangs: 'setup' }), kinds(log, 'a'), { nameOf, timeout: 30 })
  await t.rejects(failing, {
    code: 'step-failed',
    step: 'setup',
    failures: [{ index: 1, error: { code: 'ETIMEDOUT' } }],
    left: [],
  })
  t.strictSame(counted(log, 'teardown'), ['teardown d0 done', 'teardown d1 done'])
})

t.test('a guest that was never suspended goes on: the teardown is told', async t => {
  const told: string[] = []
  const kind: CheckpointKind<Disk> = {
    name: 'a',
    match: async ({ kind, name, fails }) => {
      if (kind === undefined) return { mismatch: 'no' }
      const step = async () => {}
      const setup = async () => {
        if (fails === 'setup') throw new Error('no setup')
      }
      const teardown = async ({ goesOn }: { goesOn: boolean }) => void told.push(`${name} ${goesOn}`)
      return { device: { setup, postsuspend: step, preresume: step, commit: step, teardown } }
    },
  }
  const set = (more: Partial<Disk>) => setUpCheckpoints(disks({}, more), [kind], { nameOf })
  await t.rejects(set({ fails: 'setup' }), { code: 'step-failed', step: 'setup', left: [] })
  t.strictSame(told.splice(0).sort(), ['d0 true', 'd1 true'])
  await t.rejects(setUpCheckpoints([...disks({}), { name: 'd1' }], [kind], { nameOf }), { code: 'no-kind', left: [] })
  t.strictSame(told.splice(0), ['d0 true'])
  await (await set({})).teardown()
  t.strictSame(told.sort(), ['d0 false', 'd1 false'], 'once it may have been, nothing is known')
})

t.test('a disk that a kind takes too late is let go', async t => {
  const log: string[] = []
  const [kind] = kinds(log, 'a') as [CheckpointKind<Disk>]
  const late: CheckpointKind<Disk> = {
    name: 'late',
    async match(disk, options) {
      await new Promise<void>(resolve => options.signal.addEventListener('abort', () => resolve()))
      return kind.match(disk, options)
    },
  }
  await t.rejects(setUpCheckpoints(disks({}), [late], { nameOf, timeout: 30 }), { code: 'step-failed', step: 'match' })
  await eventually('it is let go', () => log.includes('teardown d0 done'))
  t.strictSame(log, ['teardown d0', 'teardown d0 done'])
})

t.test('a disk that was taken and cannot be let go is reported', async t => {
  const failing = setUpCheckpoints(disks({ fails: 'teardown' }, { kind: 'x' }), kinds([], 'a'), { nameOf })
  await t.rejects(failing, { code: 'no-kind', left: [{ index: 0, error: { message: 'no teardown' } }] })
})

t.test('a teardown that never ends is reported as left', async t => {
  const log: string[] = []
  const devices = await setUpCheckpoints(disks({ hangs: 'teardown' }, {}), kinds(log, 'a'), {
    nameOf,
    teardownTimeout: 30,
  })
  const left = [{ index: 0, error: { code: 'ETIMEDOUT' } }]
  await t.rejects(devices.teardown(), { name: 'CheckpointError', step: 'teardown', left } as { name: string })
  await t.rejects(devices.teardown(), { name: 'CheckpointError' }, 'and is not tried twice')
  t.strictSame(counted(log, 'teardown'), ['teardown d1 done'])
})

t.test('on every path all that were set up are torn down, once', async t => {
  const step = fc.constantFrom<(Step | undefined)[]>(
    undefined,
    undefined,
    'setup',
    'postsuspend',
    'preresume',
    'commit',
    'teardown',
  )
  const disk = fc.record({ fails: step, kind: fc.constantFrom('a', 'a', 'a', 'b', 'x') })
  await fc.assert(
    fc.asyncProperty(fc.array(disk, { maxLength: 4 }), fc.nat(3), async (chosen, rounds) => {
      const log: string[] = []
      const all = disks(...(chosen as Partial<Disk>[]))
      let error: unknown
      try {
        await using devices = await setUpCheckpoints(all, kinds(log, 'a', 'b'), { nameOf })
        for (let round = 0; round < rounds; round++) {
          await devices.postsuspend()
          await devices.preresume()
          await devices.commit()
        }
      } catch (caught) {
        error = caught
      }
      const setUp = counted(log, 'setup')
      const taken = all.filter(({ kind }) => kind !== 'x').map(({ name }) => `teardown ${name} done`)
      t.strictSame(counted(log, 'teardown').sort(), taken.sort())
      t.equal(setUp.length, taken.length === all.length ? all.length : 0)
      if (error !== undefined) t.ok(error instanceof CheckpointError || (error as Error).name === 'SuppressedError')
    }),
    { numRuns: 300 },
  )
})
