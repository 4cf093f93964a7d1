import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { DiskSight, DiskState, RecordedState, Seen } from 'xenlight/colo'
import { diskState, type KnownBesides } from '#xenlight/colo/disk-state.js'
import { primaryStates, recordOf, replicaOf, secondaryStates, sightOf, silent } from './sights.js'

const primary = (
  kind: keyof typeof primaryStates,
  record?: RecordedState,
  { epoch = 1, running = true }: { epoch?: number; running?: boolean } = {},
): Seen =>
  sightOf(
    { role: 'primary', primary: primaryStates[kind], record: record && recordOf(record, epoch) },
    { running, epoch },
  )

const secondary = (
  kind: keyof typeof secondaryStates,
  record?: RecordedState,
  { epoch = 1, listening, ...disk }: Partial<DiskSight> & { epoch?: number; listening?: number } = {},
): Seen =>
  sightOf(
    { role: 'secondary', secondary: secondaryStates[kind], record: record && recordOf(record, epoch), ...disk },
    { epoch, listening },
  )

const dead = silent('it is dead')
const replicated = primary('replicated', 'replicated')
const replicating = secondary('replicating', 'replicating', { listening: 1 })
const copy = { why: 'all is copied', current: 1, total: 2, secondsLeft: 3 }
const checkpoint = { number: 7, at: new Date(0) }
const withReplica = (nbdNode: string): Seen =>
  sightOf({
    role: 'primary',
    primary: { ...primaryStates.replicated, replica: replicaOf(nbdNode) },
    record: recordOf('replicated'),
  })

const table: [primary: Seen, secondary: Seen, kind: DiskState['kind'], why: RegExp, known?: KnownBesides][] = [
  [dead, silent('so is it'), 'unknown', /neither side answers: it is dead; so is it/],
  [replicated, replicating, 'protected', /^epoch 1$/],
  [primary('alone', 'alone'), secondary('ready'), 'unprotected', /primary is alone, the secondary ready/],
  [primary('missing'), secondary('missing'), 'unprotected', /primary is missing/],
  [primary('no-quorum'), secondary('ready'), 'unprotected', /no-quorum/],

  // what a running process knows besides
  [replicated, replicating, 'syncing', /^all is copied$/, { copy }],
  [replicated, replicating, 'degraded', /^it missed a write$/, { degraded: 'it missed a write' }],
  [replicated, replicating, 'degraded', /QEMU says that replication failed/, { replicationFailed: true }],
  [primary('alone'), secondary('ready'), 'degraded', /^cut$/, { degraded: 'cut' }],

  // the graph promises less than the records
  [primary('foreign', 'replicated'), replicating, 'degraded', /two replicas/],
  [replicated, secondary('ready'), 'degraded', /the secondary is ready/],
  [replicated, secondary('missing'), 'degraded', /the secondary is missing/],
  [primary('alone', 'alone'), replicating, 'outdated', /went on without/],
  [primary('alone', 'replicated'), replicating, 'outdated', /went on without/],

  // the epochs
  [withReplica('colo-2-0123456789-nbd'), replicating, 'fenced', /epoch 2, and the secondary at 1/],
  [replicated, secondary('replicating', 'replicating'), 'fenced', /the secondary at none/],
  [withReplica('colo_node0'), secondary('replicating', 'replicating'), 'unknown', /colo_node0, is none of ours/],

  // the records promise less than the graph
  [primary('replicated'), replicating, 'unknown', /records do not say/],
  [primary('replicated', 'alone'), replicating, 'unknown', /records do not say/],
  [primary('replicated', 'replicated', { epoch: 2 }), replicating, 'unknown', /records do not say/],
  [replicated, secondary('replicating', undefined, { listening: 1 }), 'unknown', /records do not say/],
  [replicated, secondary('replicating', 'replicating', { listening: 1, epoch: 2 }), 'unknown', /records do not say/],
  [replicated, secondary('replicating', 'outdated', { listening: 1 }), 'outdated', /it is outdated/],
  [primary('alone', 'alone'), secondary('replicating', 'outdated'), 'outdated', /it is outdated/],
  [replicated, secondary('replicating', undefined, { recordProblem: 'it is damaged' }), 'unknown', /it is damaged/],

  // the secondary's disk alone is no checkpoint
  [primary('alone', 'alone'), secondary('replicating', 'syncing'), 'inconsistent', /a copy .* was not finished/],
  [primary('alone', 'alone'), secondary('replicating', 'failing-over'), 'inconsistent', /interrupted/],
  [primary('alone', 'alone'), secondary('stopped', 'replicating'), 'inconsistent', /stopped without a take-over/],
  [primary('alone', 'alone'), secondary('ready', 'replicating'), 'inconsistent', /started anew/],
  [primary('alone', 'alone'), secondary('ready', 'outdated'), 'inconsistent', /started anew/],
  [
    primary('alone', 'alone'),
    sightOf({ role: 'primary', primary: primaryStates.alone, record: recordOf('replicating') }),
    'inconsistent',
    /open without its overlays/,
  ],

  // one side only
  [dead, replicating, 'degraded', /primary does not answer \(it is dead\)/],
  [dead, secondary('replicating', 'outdated'), 'outdated', /it is outdated/],
  [dead, secondary('ready'), 'unknown', /primary does not answer/],
  [dead, secondary('replicating'), 'unknown', /primary does not answer/],
  [replicated, dead, 'degraded', /secondary does not answer \(it is dead\)/],
  [primary('alone', 'replicated'), dead, 'degraded', /secondary does not answer/],
  [primary('alone', 'alone'), dead, 'unprotected', /secondary does not answer/],

  // a take-over
  [dead, secondary('failing-over', 'failing-over'), 'failing-over', /being written into it/],
  [replicated, secondary('failing-over', 'failing-over'), 'failing-over', /being written into it/, { copy }],
  [dead, secondary('failed-over', 'alone', { epoch: 2 }), 'failed-over', /it is alone/],
  [dead, secondary('failed-over'), 'failed-over', /took over/],
  [primary('replicated', 'replicated', { running: false }), secondary('failed-over'), 'failed-over', /took over/],
  [replicated, secondary('failed-over', 'alone', { epoch: 2 }), 'fenced', /epochs: 1 here, 2 there/],
  [
    dead,
    sightOf({ role: 'primary', primary: primaryStates.alone, record: recordOf('alone') }),
    'failed-over',
    /it is alone/,
  ],
]

for (const [index, [here, there, kind, why, known]] of table.entries())
  t.test(`${kind} ${index}: ${why}`, async t => {
    const state = diskState(here, there, 0, known)
    t.equal(state.kind, kind, state.why)
    t.match(state.why, why)
  })

t.test('every state is reached', async t => {
  const kinds: Record<DiskState['kind'], true> = {
    ...{ unprotected: true, syncing: true, protected: true, degraded: true, outdated: true },
    ...{ inconsistent: true, fenced: true, 'failing-over': true, 'failed-over': true, unknown: true },
  }
  t.strictSame(new Set(table.map(([, , kind]) => kind)), new Set(Object.keys(kinds)))
})

t.test('what comes with a state', async t => {
  t.strictSame(diskState(replicated, replicating, 0, { checkpoint }), {
    ...{ kind: 'protected', why: 'epoch 1', checkpoint },
  })
  t.strictSame(diskState(replicated, replicating, 0, { copy }), { kind: 'syncing', ...copy })
  const job = sightOf({
    role: 'primary',
    primary: { ...primaryStates.replicated, job: 'commit_top' },
    record: recordOf('replicated'),
  })
  t.match(diskState(job, replicating, 0), { kind: 'protected', why: /block job is under way.*commit_top/ })
})

t.test('nothing is called protected unless graph, exports and both records say so', async t => {
  const keys = <Key extends string>(table: Record<Key, unknown>) => fc.constantFrom(...(Object.keys(table) as Key[]))
  const states = ['alone', 'replicated', 'syncing', 'replicating', 'outdated', 'failing-over'] as const
  const epoch = fc.integer({ min: 0, max: 2 })
  const likely = <Value>(value: Value, ...others: fc.Arbitrary<Value>[]) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, ...others)
  const record = (usual: RecordedState) =>
    likely(
      recordOf(usual),
      fc.constant(undefined as never),
      fc.tuple(fc.constantFrom(...states), epoch).map(([state, epoch]) => recordOf(state, epoch)),
      epoch.map(epoch => recordOf(usual, epoch)),
    )
  const replicas = fc.constantFrom('colo-2-0123456789-nbd', 'colo_node0', 'colo-0-0123456789-nbd')
  const roles = fc.constantFrom<DiskSight['role'][]>('primary', 'secondary', 'none')
  const absent = <Value>(value: Value) => likely<Value | undefined>(undefined, fc.constant(value))
  const sight = fc.record({
    p: likely<keyof typeof primaryStates>('replicated', keys(primaryStates)),
    s: likely<keyof typeof secondaryStates>('replicating', keys(secondaryStates)),
    ...{ replica: likely('colo-1-0123456789-nbd', replicas), here: record('replicated'), there: record('replicating') },
    listening: likely<number | undefined>(1, fc.option(epoch, { nil: undefined })),
    ...{ hereRole: likely('primary', roles), thereRole: likely('secondary', roles), running: fc.boolean() },
    ...{ recordProblem: absent('it is damaged'), degraded: absent('it failed'), copy: absent(copy) },
    ...{ replicationFailed: absent(true), deadHere: absent(true), deadThere: absent(true) },
  })
  let claimed = 0
  let others = 0
  fc.assert(
    fc.property(sight, given => {
      const { p, s, replica, listening, here, there, hereRole, thereRole, recordProblem, running } = given
      const state = p === 'replicated' ? { ...primaryStates.replicated, replica: replicaOf(replica) } : primaryStates[p]
      const first = sightOf({ role: hereRole, primary: state, record: here }, { running })
      const second = sightOf(
        { role: thereRole, secondary: secondaryStates[s], record: there, recordProblem },
        { listening },
      )
      const { degraded, replicationFailed, copy } = given
      const found = diskState(given.deadHere ? dead : first, given.deadThere ? dead : second, 0, {
        ...{ degraded, replicationFailed, copy, checkpoint },
      })
      assert.notEqual(found.why, '')
      const isSo = [
        !given.deadHere && !given.deadThere && recordProblem === undefined && thereRole !== 'primary',
        p === 'replicated' && s === 'replicating' && replica === `colo-${listening}-0123456789-nbd`,
        here?.state === 'replicated' && here.epoch === listening,
        there?.state === 'replicating' && there.epoch === listening,
        degraded === undefined && !replicationFailed && copy === undefined,
      ].every(Boolean)
      if (found.kind === 'protected') assert.ok(isSo)
      else assert.ok(!isSo, `it is ${found.kind}: ${found.why}`)
      if (isSo) claimed++
      else others++
    }),
    { numRuns: 20_000 },
  )
  t.ok(claimed > 1000 && others > 1000, `${claimed} of ${claimed + others} are protected`)
})
