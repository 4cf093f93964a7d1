import t from 'tap'
import { EqualPair } from '../model/equal-pair.js'
import { sector, sectorData } from '../model/world.js'

const said = (pair: EqualPair) => [pair.first, pair.second].map(node => node.status().why).join()

t.test('the link is lost just when a copy is through, and both go on alone', t => {
  const pair = new EqualPair()
  const { world } = pair
  pair.cut()
  pair.write(7)
  pair.work()
  world.connect()
  pair.workUntil(0, 'copiedAck')
  for (const index of [0, 1]) world.hearOfEnd(index)
  pair.write(8)
  pair.work()
  pair.done(done => pair.second.promote({}, done))
  pair.done(done => pair.second.write(12 * sector, sectorData(55, sector), done))
  pair.done(done => pair.first.demote(done))
  pair.connect()
  t.match(said(pair), /split brain/)
  t.same(pair.written, [
    [8, 8],
    [7, 7],
  ])
  t.end()
})

for (const [name, first] of [
  ['data', 'data'],
  ['the metadata', 'meta'],
  ['the log', 'log'],
] as const)
  t.test(`a node that is to be brought up to date loses its source and takes over; ${name} first`, t => {
    const pair = new EqualPair()
    const { world } = pair
    const own = world.files[1]!
    pair.write(1)
    pair.work()
    pair.cut()
    pair.write(7)
    pair.work()
    world.connect()
    pair.workUntil(1, 'begin')
    world.crash(0, 'process', () => 1)
    world.hearOfEnd(1)
    pair.second.promote({}, () => {})
    while (own.busy.length > 0) own.step(own.busy.find(file => file === first) ?? own.busy[0]!)
    if (pair.second.status().role === 'primary') pair.done(done => pair.second.write(0, sectorData(9, sector), done))
    world.start(0)
    pair.work()
    pair.connect()
    const { role } = pair.second.status()
    if (role === 'primary') t.match(said(pair), /split brain/)
    t.same(pair.written[0], [7, 7], 'what the other one wrote is there')
    t.end()
  })
