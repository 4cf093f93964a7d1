import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'

t.test('one Primary, unless two are asked for', t => {
  const pair = new EqualPair()
  t.match(pair.outcome(done => pair.second.promote({}, done)).error, { code: 'peer-is-primary' })
  pair.done(done => pair.second.promote({ two: true }, done))
  t.match(
    [pair.first, pair.second].map(node => node.status()),
    [
      { role: 'primary', isWriter: true },
      { role: 'primary', isWriter: false },
    ],
  )
  t.end()
})

t.test('of two, the one that writes hands over; with checkpoints it does not', t => {
  const pair = new EqualPair()
  pair.done(done => pair.second.promote({ two: true }, done))
  pair.done(done => pair.second.write(0, new Uint8Array(512).fill(1), done))
  t.match(
    [pair.first, pair.second].map(node => node.status().isWriter),
    [false, true],
  )
  pair.done(done => pair.second.setCheckpointing(true, done))
  t.match(pair.outcome(done => pair.first.write(0, new Uint8Array(512), done)).error, {
    code: 'not-writer',
    message: /takes checkpoints/,
  })
  t.end()
})

t.test('a node that was killed is Secondary when it comes back', t => {
  const pair = new EqualPair()
  pair.write(1)
  pair.work()
  pair.world.crash(0, 'process', () => 1)
  pair.work()
  pair.world.start(0)
  pair.work()
  t.match(pair.first.status(), { role: 'secondary', disk: 'consistent' })
  t.match(pair.outcome(done => pair.first.write(0, new Uint8Array(512), done)).error, { code: 'not-primary' })
  t.end()
})

t.test('a Secondary takes over alone, and its peer is brought up to date by it', t => {
  const pair = new EqualPair()
  pair.done(done => pair.first.setCheckpointing(true, done))
  pair.write(1)
  pair.work()
  pair.done(done => pair.first.checkpoint(done))
  pair.write(2)
  pair.work()
  pair.world.crash(0, 'power', () => 1)
  pair.work()
  pair.done(done => pair.second.promote({}, done))
  t.same(pair.written[1], [1, 1], 'the last checkpoint, and nothing behind it')
  pair.world.start(0)
  pair.work()
  pair.connect()
  t.same(pair.written, [
    [1, 1],
    [1, 1],
  ])
  t.match(pair.first.status(), { role: 'secondary', disk: 'consistent', connection: 'equal' })
  t.end()
})

t.test('acknowledged from memory, a Secondary that crashed is not promoted', t => {
  const pair = new EqualPair({ acknowledgeFromMemory: true })
  pair.done(done => pair.first.setCheckpointing(true, done))
  pair.world.crash(1, 'process', () => 1)
  pair.work()
  pair.world.start(1)
  pair.work()
  t.match(pair.second.status(), { disk: 'outdated' })
  t.match(pair.outcome(done => pair.second.promote({}, done)).error, { code: 'not-promotable', message: /older/ })
  pair.connect()
  t.match(pair.second.status(), { disk: 'consistent', connection: 'equal' })
  t.end()
})

t.test('the second of two Primaries that acknowledges from memory is outdated after a crash, until it writes', t => {
  const pair = new EqualPair({ acknowledgeFromMemory: true })
  pair.done(done => pair.first.setCheckpointing(true, done))
  pair.done(done => pair.second.promote({ two: true }, done))
  pair.world.crash(1, 'process', () => 1)
  pair.work()
  pair.world.start(1)
  pair.work()
  t.match(pair.second.status(), { disk: 'outdated' })
  t.end()
})
