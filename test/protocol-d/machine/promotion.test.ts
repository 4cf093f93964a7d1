import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'
import { sectorData } from '../model/world.js'

const sector = (tag: number) => sectorData(tag, 512)

/** The link is lost, and the second node takes over by a promotion of that number, while the first goes on. */
function bothPromoted(number: number | undefined): EqualPair {
  const pair = new EqualPair()
  pair.cut()
  pair.work()
  pair.done(done => pair.second.promote({ number }, done))
  pair.done(done => pair.first.write(0, sector(1), done))
  pair.done(done => pair.second.write(512, sector(2), done))
  return pair
}

t.test('a Primary that meets a node of a later promotion is none any more', t => {
  const pair = bothPromoted(7)
  const before = pair.written
  pair.connect()
  t.match(pair.first.status(), { role: 'primary', promotion: 0, fencedBy: 7, isRefused: true })
  for (const [what, work] of [
    ['writes', done => pair.first.write(0, sector(3), done)],
    ['reads', done => pair.first.read(0, 512, done)],
    ['flushes', done => pair.first.flush(done)],
    ['is promoted', done => pair.first.promote({ number: 9 }, done)],
  ] as const satisfies readonly (readonly [string, Parameters<EqualPair['outcome']>[0]])[])
    t.match(pair.outcome(work).error, { code: 'fenced', message: /later promotion.*7/ }, what)
  t.same(pair.written, before, 'nothing of either went to the other')
  t.match(pair.second.status(), { role: 'primary', promotion: 7, fencedBy: undefined })
  pair.done(done => pair.second.write(1024, sector(4), done))

  // demoted, it is what any node is that went on alone
  pair.done(done => pair.first.demote(done))
  t.match(pair.first.status(), { role: 'secondary', promotion: 7, fencedBy: undefined })
  pair.cut()
  pair.work()
  pair.connect()
  t.match(pair.first.status(), { isRefused: true, why: /split brain/ })
  pair.cut()
  pair.work()
  pair.done(done => pair.first.discardOwnChanges(true, done))
  pair.connect()
  t.match(
    [pair.first, pair.second].map(node => node.status().connection),
    ['equal', 'equal'],
  )
  t.end()
})

t.test('promotions without numbers fence nobody', t => {
  const pair = bothPromoted(undefined)
  pair.connect()
  t.match(pair.first.status(), { role: 'primary', fencedBy: undefined, why: /split brain/ })
  pair.done(done => pair.first.write(0, sector(3), done))
  t.end()
})

t.test('a number is greater than all before, on both nodes', t => {
  const pair = new EqualPair()
  pair.done(done => pair.first.demote(done))
  pair.done(done => pair.first.promote({ number: 3 }, done))
  t.equal(pair.second.status().promotion, 3, 'its peer has heard of it')
  pair.done(done => pair.first.promote({ number: 3 }, done))
  pair.done(done => pair.first.promote({}, done))
  t.match(pair.outcome(done => pair.first.promote({ number: 4 }, done)).error, { code: 'is-primary' })
  t.match(pair.outcome(done => pair.first.promote({ number: 2 }, done)).error, { code: 'number-over' })
  pair.world.crash(0, 'power', () => 1)
  pair.work()
  for (const number of [1, 3])
    t.match(pair.outcome(done => pair.second.promote({ number }, done)).error, { code: 'number-over', message: /of 3/ })
  pair.done(done => pair.second.promote({ number: 4 }, done))
  pair.world.start(0)
  pair.work()
  t.equal(pair.first.status().promotion, 3, 'what is durable')
  pair.connect()
  t.match(pair.first.status(), { role: 'secondary', connection: 'equal', promotion: 4 })
  t.end()
})

t.test('a Secondary that knows a later promotion does not let its peer be promoted by an earlier one', t => {
  const pair = new EqualPair()
  pair.done(done => pair.first.demote(done))
  pair.cut()
  pair.work()
  pair.done(done => pair.second.promote({ number: 5 }, done))
  pair.done(done => pair.second.demote(done))
  t.match(pair.first.status().promotion, 0)
  pair.connect()
  t.match(pair.outcome(done => pair.first.promote({ number: 4 }, done)).error, { code: 'number-over' })
  pair.done(done => pair.first.promote({ number: 6 }, done))
  t.match([pair.first.status(), pair.second.status()], [{ promotion: 6 }, { promotion: 6 }])
  t.end()
})

t.test('two Primaries on purpose fence nobody', t => {
  const pair = new EqualPair()
  pair.done(done => pair.second.promote({ two: true, number: 2 }, done))
  t.match(
    [pair.first, pair.second].map(node => node.status()),
    [
      { role: 'primary', promotion: 2, fencedBy: undefined },
      { role: 'primary', promotion: 2, fencedBy: undefined },
    ],
  )
  pair.done(done => pair.second.write(0, sector(1), done))
  t.end()
})
