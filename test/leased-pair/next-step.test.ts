import t from 'tap'
import { nextStep, type PairView } from '#xenlight/leased-pair/next-step.js'
import { splitBrain } from '#xenlight/protocol-d/handshake.js'
import { anna, berta, record, secondary } from './played-status.js'

const view = (more: Partial<PairView> = {}): PairView => ({
  ...{ status: secondary(), self: anna, record: record(), isFresh: false, lease: 'none', epoch: undefined },
  ...{ recorded: 'nothing', order: 'none', pause: '' },
  ...more,
})
const held = { lease: 'held', epoch: 4, isFresh: true } as const
const primary = secondary({ role: 'primary', promotion: 4 })

t.test('candidate, holder, promoted', t => {
  t.same(nextStep(view()), { kind: 'acquire' })
  t.same(nextStep(view({ ...held, isFresh: false })), { kind: 'read' }, 'nothing that was read before counts')
  t.same(nextStep(view(held)), { kind: 'record', isAlone: true }, 'without its peer, before anything else')
  t.same(nextStep(view({ ...held, recorded: 'equal' })), { kind: 'record', isAlone: true })
  t.same(nextStep(view({ ...held, recorded: 'alone' })), { kind: 'promote', isForced: false })
  const equal = secondary({ connection: 'equal' })
  t.same(nextStep(view({ ...held, status: equal })), { kind: 'record', isAlone: false })
  t.same(nextStep(view({ ...held, status: equal, recorded: 'equal' })), { kind: 'promote', isForced: false })
  const undecided = secondary({ connection: 'undecided' })
  t.same(nextStep(view({ ...held, status: undecided })), { kind: 'record', isAlone: true })
  t.same(nextStep(view({ ...held, status: primary })), { kind: 'serve' })
  t.end()
})

t.test('no candidate', t => {
  const alone = record({ alone: berta })
  t.match(nextStep(view({ record: alone })), { kind: 'wait', why: /berta/ })
  t.match(nextStep(view({ ...held, record: alone })), { kind: 'release', why: /berta/ }, 'it went on meanwhile')
  t.match(nextStep(view({ pause: 'a moment' })), { kind: 'wait', why: 'a moment' })
  const hello = secondary({ connection: 'hello' })
  t.match(nextStep(view({ ...held, status: hello })), { kind: 'wait' }, 'that takes a moment')
  const split = secondary({ isRefused: true, why: splitBrain })
  t.same(nextStep(view({ status: split, record: alone })), { kind: 'discard' })
  t.match(nextStep(view({ status: split })), { kind: 'wait' })
  t.end()
})

t.test('lost, or given away: Secondary first, then the lease', t => {
  t.match(nextStep(view({ status: primary, lease: 'lost', epoch: 4 })), { kind: 'demote', why: /renewed/ })
  t.match(nextStep(view({ status: primary })), { kind: 'demote' })
  t.match(nextStep(view({ lease: 'lost', epoch: 4 })), { kind: 'release' })
  t.match(nextStep(view({ ...held, status: primary, order: 'hand-over' })), { kind: 'demote' })
  t.match(nextStep(view({ ...held, order: 'hand-over' })), { kind: 'release' })
  t.match(nextStep(view({ ...held, status: { ...primary, fencedBy: 5 } })), { kind: 'demote', why: /5/ })
  t.match(nextStep(view({ ...held, epoch: 5, status: primary })), { kind: 'demote', why: /another number/ })
  const failed = { ...primary, failure: 'EIO' }
  t.match(nextStep(view({ ...held, status: failed })), { kind: 'demote', why: /file/ })
  t.match(nextStep(view({ status: failed })), { kind: 'wait', why: /file/ }, 'nothing can make it Secondary')
  t.end()
})

t.test('an operator has it promoted with what it has, under the lease', t => {
  const status = secondary({ disk: 'inconsistent', generation: '' })
  const forced = { status, record: record({ alone: berta }), order: 'force' } as const
  t.same(nextStep(view(forced)), { kind: 'acquire' })
  t.same(nextStep(view({ ...forced, ...held, isFresh: false })), { kind: 'read' })
  t.same(nextStep(view({ ...forced, ...held })), { kind: 'record', isAlone: true })
  t.same(nextStep(view({ ...forced, ...held, recorded: 'alone' })), { kind: 'promote', isForced: true })
  t.match(nextStep(view({ ...forced, status: { ...status, failure: 'EIO' } })), { kind: 'wait' })
  const target = { ...forced, ...held, status: { ...status, connection: 'target' } } as const
  t.match(nextStep(view(target)), { kind: 'release' }, 'before the record says otherwise')
  t.end()
})
