import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'
import { sectorData } from '../model/world.js'

const sector = (tag: number) => sectorData(tag, 512)

/** Whether the first node's guest has its answer. */
function write(pair: EqualPair, tag: number): () => boolean {
  let isThrough = false
  pair.first.write(4 * 512, sector(tag), error => {
    if (error !== undefined) throw error
    isThrough = true
  })
  pair.work()
  return () => isThrough
}

t.test('the guest of a Primary without a peer waits until it may go on alone', t => {
  const pair = new EqualPair({ asksAlone: true })
  t.equal(write(pair, 1)(), true)
  pair.cut()
  pair.work()
  t.match(pair.first.status(), { asksAlone: true })
  t.match(pair.second.status(), { asksAlone: false }, 'a Secondary has no guest')
  const isThrough = write(pair, 2)
  t.equal(isThrough(), false)
  t.same(pair.written[0]?.[0], 1, 'nothing is written meanwhile')
  pair.done(done => pair.first.goOnAlone(done))
  t.equal(isThrough(), true)
  t.match(pair.first.status(), { asksAlone: false })
  t.equal(write(pair, 3)(), true)
  t.end()
})

t.test('it waits no more where the peer comes back; and anew when that is lost again', t => {
  const pair = new EqualPair({ asksAlone: true })
  pair.cut()
  pair.work()
  const isThrough = write(pair, 2)
  pair.connect()
  t.equal(isThrough(), true)
  t.same(
    pair.written.map(([first]) => first),
    [2, 2],
  )
  // what was allowed before counts until both hold the same, and no longer
  pair.cut()
  pair.work()
  pair.done(done => pair.first.goOnAlone(done))
  t.equal(write(pair, 3)(), true)
  pair.connect()
  pair.done(done => pair.first.goOnAlone(done))
  pair.cut()
  pair.work()
  t.equal(write(pair, 4)(), false)
  t.end()
})

t.test('so do a flush, and the end of checkpoints, which let what one node has count', t => {
  const pair = new EqualPair({ asksAlone: true })
  pair.done(done => pair.first.setCheckpointing(true, done))
  pair.cut()
  pair.work()
  const done: string[] = []
  pair.first.flush(error => done.push(`flush ${error?.message}`))
  pair.first.setCheckpointing(false, error => done.push(`off ${error?.message}`))
  pair.work()
  t.same(done, [])
  t.equal(pair.first.status().mode, 'checkpoints', 'what it wrote is undone, where the other one takes over')
  pair.done(through => pair.first.goOnAlone(through))
  t.same(done.sort(), ['flush undefined', 'off undefined'])
  t.equal(pair.first.status().mode, 'direct')
  t.end()
})

t.test('a node that takes over alone waits, too; a Secondary has nothing to go on with', t => {
  const pair = new EqualPair({ asksAlone: true })
  pair.cut()
  pair.work()
  t.match(pair.outcome(done => pair.second.goOnAlone(done)).error, { code: 'not-primary' })
  pair.done(done => pair.second.promote({ number: 1 }, done))
  t.match(pair.second.status(), { asksAlone: true })
  pair.done(done => pair.second.goOnAlone(done))
  pair.done(done => pair.second.write(0, sector(5), done))
  // a node that is demoted asks again the next time
  pair.done(done => pair.second.demote(done))
  pair.done(done => pair.second.promote({ number: 2 }, done))
  t.match(pair.second.status(), { asksAlone: true })
  t.end()
})

t.test('so do they beside a peer that may not know yet that it is brought up to date, until it has all', t => {
  for (const ending of ['goOnAlone', 'equal'] as const) {
    const pair = new EqualPair({ asksAlone: true })
    pair.cut()
    pair.done(done => pair.first.goOnAlone(done))
    pair.done(done => pair.first.write(4 * 512, sector(2), done))
    pair.done(done => pair.first.demote(done))
    pair.done(done => pair.first.promote({ number: 1 }, done))
    pair.world.connect()
    pair.workUntil(1, 'verdict')
    const [files] = pair.world.files
    while (pair.first.status().connection !== 'source') files!.step(files!.busy[0]!)
    t.match(pair.first.status(), { asksAlone: true })
    t.match(pair.second.status(), { disk: 'consistent' }, 'it could be promoted')
    const done: string[] = []
    pair.first.flush(error => done.push(`flush ${error?.message}`))
    pair.first.write(8 * 512, sector(3), error => done.push(`write ${error?.message}`))
    while (files!.busy.length > 0) files!.step(files!.busy[0]!)
    t.same(done, [])
    if (ending === 'goOnAlone') {
      pair.first.goOnAlone(() => {})
      while (files!.busy.length > 0) files!.step(files!.busy[0]!)
    } else pair.work()
    t.same(done.sort(), ['flush undefined', 'write undefined'])
  }
  t.end()
})
