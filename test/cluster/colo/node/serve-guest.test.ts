import t from 'tap'
import { realPart } from '../../../support/real-part.js'
import { guestNodes } from './guest-nodes.js'

t.test('a guest on two nodes: begun, protected, taken over, given back', async t => {
  const nodes = await realPart(t, () => guestNodes(t))
  if (nodes === undefined) return
  const { anna, berta } = nodes
  for (const node of [anna, berta]) node.start()
  for (const node of [anna, berta]) await node.until('it is new', ({ data }) => data === 'new')
  await t.rejects(anna.promote(1001), { message: /xl-cluster force/ })
  await anna.promote(2001, true)
  await anna.until('it is protected', ({ pair }) => pair === 'protected')
  await berta.until('it has a checkpoint', ({ data }) => data === 'checkpoint')
  await anna.says(/^monitor=promoted\nscore=10000\npromotion=2001\n/m)
  await berta.says(/^monitor=running\nscore=1000\npromotion=2001\n/m)
  t.same(anna.asked.slice(0, 2), ['alone', 'equal'])
  const kept = await anna.checkpoint()
  t.ok(kept > 0, 'the guest runs')

  anna.killQemu()
  t.match(await anna.ended, /ended/)
  await berta.promote(3002)
  t.ok((await berta.status()).isRunning)
  t.ok((await berta.begins()) >= kept, 'nothing that was kept is lost')
  await berta.says(/^monitor=degraded-promoted\n/m)

  anna.start()
  await berta.until('it is protected again', ({ pair }) => pair === 'protected')
  await anna.until('anna has a checkpoint', ({ data }) => data === 'checkpoint')
  await berta.checkpoint()
  await berta.demote()
  const last = berta.machine.newest()
  t.notOk((await berta.status()).isRunning)
  await anna.promote(4001)
  t.equal(await anna.begins(1), last, 'a node that is demoted in order leaves all')
  await anna.until('it is protected once more', ({ pair }) => pair === 'protected')
})
