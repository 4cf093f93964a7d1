import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'

/** A write fails on the first node, and what is there cannot be read either. */
function writeUnreadably(pair: EqualPair): void {
  const [files] = pair.world.files
  files!.failNext('data')
  pair.write(2)
  // once its extent is active, the write is done, and fails
  while (files!.isFailing) files!.step(files!.busy[0]!)
  files!.failNext('data')
  pair.work()
}

t.test('a write fails on the Primary alone: the peer gets what is there instead', t => {
  const pair = new EqualPair()
  pair.write(1)
  pair.work()
  pair.world.files[0]!.failNext('data')
  const heard = pair.write(2)
  pair.work()
  t.match(heard.error, { code: 'ENOSPC' }, 'the guest hears of it')
  t.same(pair.written, [
    [1, 1],
    [1, 1],
  ])
  t.match(pair.first.status(), { connection: 'equal', differing: 0 })
  t.notOk(
    pair.sent.some(({ kind }) => kind === 'hello'),
    'over the same connection',
  )
  t.end()
})

t.test('in an epoch, it is part of the next checkpoint', t => {
  const pair = new EqualPair()
  pair.done(done => pair.first.setCheckpointing(true, done))
  pair.world.files[0]!.failNext('data')
  const heard = pair.write(2)
  // the barrier comes before the answer of the disk
  pair.done(done => pair.first.checkpoint(done))
  t.ok(heard.error)
  t.match(
    pair.done(done => pair.first.checkpoint(done)),
    { isAwaited: true },
    'something was written since',
  )
  t.same(pair.written[1], pair.written[0])
  t.end()
})

t.test('a write to the same sectors comes meanwhile: the nodes meet again, and what differs is copied', t => {
  const pair = new EqualPair()
  pair.write(1)
  pair.work()
  pair.world.files[0]!.failNext('data')
  const first = pair.write(2)
  pair.write(3)
  pair.work()
  t.equal(pair.world.wire, undefined)
  t.match(pair.first.status(), { why: /a write failed here/ })
  pair.connect()
  t.ok(first.error)
  t.same(pair.written, [
    [3, 3],
    [3, 3],
  ])
  t.match(pair.first.status(), { connection: 'equal', differing: 0 })
  t.end()
})

t.test('what is there cannot be read either: the peer has it', t => {
  const pair = new EqualPair()
  writeUnreadably(pair)
  t.match(pair.first.status(), { connection: 'equal', differing: 1024 })
  t.same(pair.written[1], [2, 2])
  pair.done(done => pair.first.demote(done))
  t.match(pair.first.status(), { role: 'secondary', disk: 'outdated', connection: 'none' })
  t.match(pair.outcome(done => pair.first.promote({}, done)).error, { code: 'not-promotable' })
  pair.connect()
  t.match(pair.first.status(), { disk: 'consistent', connection: 'equal' }, 'it was brought up to date')
  t.same(pair.written[0], [2, 2])
  t.end()
})

t.test('of two Primaries, one that lacks what the other has does not hand over', t => {
  const pair = new EqualPair()
  pair.done(done => pair.second.promote({ two: true }, done))
  writeUnreadably(pair)
  const { error } = pair.outcome(done => pair.second.write(0, new Uint8Array(512), done))
  t.match(error, { code: 'not-writer', message: /writes failed there: demote it/ })
  t.end()
})

t.test('what cannot be read is not copied to a peer that has it, over whatever connection', t => {
  const pair = new EqualPair()
  writeUnreadably(pair)
  pair.cut()
  // the next read of the disk would fail
  pair.first.write(20 * 512, new Uint8Array(512).fill(1), () => {})
  pair.work()
  pair.connect()
  t.match(pair.first.status(), { role: 'primary', connection: 'equal', failure: undefined, differing: 1024 })
  t.match(pair.second.status(), { disk: 'consistent' })
  t.same(pair.written[1], [2, 2], 'it has what was sent')
  // a write of the whole block makes it good
  pair.write(3)
  pair.work()
  t.match(pair.first.status(), { differing: 0 })
  t.same(pair.written, [
    [3, 3],
    [3, 3],
  ])
  t.end()
})
