import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'

const on = (pair: EqualPair) => pair.done(done => pair.first.setCheckpointing(true, done))

t.test('what DRBD answers with EINVAL and EPROTO', t => {
  const pair = new EqualPair()
  const ask = () => pair.outcome(done => pair.first.checkpoint(done))
  t.match(ask().error, { code: 'no-checkpoints' }, 'they are off')
  t.match(pair.outcome(done => pair.second.checkpoint(done)).error, { code: 'not-primary' })
  on(pair)
  t.match(ask(), { error: undefined, value: { isAwaited: false, checkpoint: 1 } }, 'nothing was written')
  pair.cut()
  t.match(ask().error, { code: 'no-peer' })
  t.end()
})

t.test('WAIT comes back with the acknowledgement, and fails with the link', t => {
  const pair = new EqualPair()
  on(pair)
  pair.write(1)
  pair.work()
  pair.done(done => pair.first.checkpoint(done))
  pair.done(done => pair.first.waitForAck(done))
  t.same(pair.written[1], [1, 1])
  pair.write(2)
  pair.work()
  let lost: Error | undefined
  pair.first.checkpoint(() => {})
  pair.first.waitForAck(error => {
    lost = error
  })
  t.match(
    pair.world.deliverable.map(({ to }) => to),
    [1],
    'the barrier is on its way',
  )
  pair.cut()
  t.match(lost, { code: 'peer-lost' })
  t.match(pair.outcome(done => pair.first.waitForAck(done)).error, { code: 'peer-lost' }, 'and does so later')
  t.same(pair.written, [
    [2, 2],
    [1, 1],
  ])
  t.end()
})

t.test('one epoch at a time', t => {
  const pair = new EqualPair()
  on(pair)
  pair.write(1)
  pair.work()
  pair.first.checkpoint(() => {})
  pair.write(2)
  let busy: Error | undefined
  pair.first.checkpoint(error => {
    busy = error
  })
  t.match(busy, { code: 'busy' })
  pair.work()
  t.match(
    pair.done(done => pair.first.checkpoint(done)),
    { isAwaited: true, checkpoint: 3 },
  )
  t.end()
})

t.test('switched off, what follows goes to the peer as it is written', t => {
  const pair = new EqualPair()
  on(pair)
  pair.write(1)
  pair.work()
  t.same(pair.written[1], [0, 0], 'of the open epoch nothing is there')
  pair.done(done => pair.first.setCheckpointing(false, done))
  t.same(pair.written[1], [1, 1])
  pair.write(2)
  pair.work()
  t.same(pair.written[1], [2, 2])
  t.end()
})

t.test('switched off alone, what was written counts, whatever the peer does', t => {
  const pair = new EqualPair()
  on(pair)
  pair.write(1)
  pair.work()
  pair.cut()
  pair.done(done => pair.first.setCheckpointing(false, done))
  pair.connect()
  t.same(pair.written[1], [1, 1])
  t.match(pair.second.status(), { disk: 'consistent', connection: 'equal' })
  t.end()
})

t.test('a checkpoint is not taken while the node is being demoted', t => {
  const pair = new EqualPair()
  on(pair)
  pair.write(1)
  const [files] = pair.world.files
  while (files!.busy.includes('meta')) files!.step('meta')
  const outcomes: (Error | undefined)[] = []
  pair.first.demote(error => outcomes.push(error))
  pair.first.checkpoint(error => outcomes.push(error))
  pair.work()
  t.match(outcomes, [{ code: 'busy' }, undefined])
  t.match(pair.first.status(), { role: 'secondary', connection: 'equal' })
  t.end()
})

t.test('numbers go on when the roles were exchanged, and without checkpoints', t => {
  const pair = new EqualPair()
  on(pair)
  for (let tag = 1; tag <= 5; tag++) {
    pair.write(tag)
    pair.work()
    pair.done(done => pair.first.checkpoint(done))
  }
  const before = pair.first.status().checkpoint
  pair.done(done => pair.first.demote(done))
  pair.done(done => pair.second.promote({}, done))
  pair.done(done => pair.second.write(0, new Uint8Array(512), done))
  pair.done(done => pair.second.demote(done))
  pair.done(done => pair.first.promote({}, done))
  on(pair)
  t.match(pair.second.status(), { connection: 'equal', why: '' })
  t.ok(pair.first.status().checkpoint > before)
  t.end()
})
