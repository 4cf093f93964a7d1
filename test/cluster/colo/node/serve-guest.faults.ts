import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connectQmp } from 'xenlight/qmp'
import { GuestFiles } from '#xenlight/cluster/colo/node/guest-files.js'
import { monitorOf } from '#xenlight/cluster/colo/node/guest-qemu.js'
import { reachPeer } from '#xenlight/cluster/colo/node/reach-peer.js'
import { eventually } from '../../../protocol-d/eventually.js'
import { realPart } from '../../../support/real-part.js'
import { guestNodes } from './guest-nodes.js'

/** Both nodes, protected, with anna promoted. */
async function begun(t: Test) {
  const nodes = await realPart(t, () => guestNodes(t))
  if (nodes === undefined) return undefined
  const { anna, berta } = nodes
  for (const node of [anna, berta]) node.start()
  for (const node of [anna, berta]) await node.until('it is new', ({ data }) => data === 'new')
  await anna.promote(1001, true)
  await anna.until('it is protected', ({ pair }) => pair === 'protected')
  await berta.until('it has a checkpoint', ({ data }) => data === 'checkpoint')
  return nodes
}

t.test('without a secondary the guest stands still until the cluster says that it may go on', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  anna.no = 'berta has gone, and was not fenced'
  berta.killQemu('SIGSTOP')
  await anna.until('it asks', ({ pair, why }) => pair === 'asking' && why.includes('fenced'))
  await anna.until('the guest stands still', ({ isRunning }) => !isRunning)
  await t.rejects(anna.checkpoint(), { message: /no checkpoint/ })
  await anna.says(/^monitor=degraded-promoted\n/m)
  anna.no = undefined
  await anna.until('it goes on', ({ pair, isRunning }) => pair === 'alone' && isRunning)
  const { by } = await anna.ask(control => control.checkpoint({ timeout: 5000 }))
  t.equal(by, 'alone')
  berta.killQemu('SIGCONT')
  await anna.until('it is protected again', ({ pair }) => pair === 'protected')
  t.equal(anna.asked.at(-1), 'equal')
})

t.test('a promotion that the cluster does not confirm lets no guest run', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  anna.killQemu()
  await anna.ended
  berta.no = 'this partition has no quorum'
  await t.rejects(
    berta.ask(control => control.promote(2002, false, { timeout: 2000 })),
    { message: /quorum|not done within/ },
  )
  await berta.until('it is unpromoted', ({ role, isRunning }) => role === 'secondary' && !isRunning)
  berta.no = undefined
  await t.rejects(berta.promote(2002), { message: /promotion 2002 is over/ })
  await berta.promote(3002)
  t.ok((await berta.status()).isRunning)
})

t.test('a primary that hears of a later promotion stops its guest', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  // as if the cluster had been cut in two: berta is promoted in its half
  anna.no = 'this partition has no quorum'
  await berta.promote(2002)
  await anna.until('anna is fenced', ({ fencedBy }) => fencedBy === 2002)
  await anna.until('its guest stands still', ({ isRunning }) => !isRunning)
  await anna.says(/^monitor=failed-promoted\nscore=\n/m)
  await t.rejects(anna.checkpoint(), { message: /no primary/ })
  await anna.demote()
  await berta.until('it is protected', ({ pair }) => pair === 'protected')
  await anna.until('anna follows', ({ data, isSplit }) => data === 'checkpoint' && !isSplit)
})

for (const isForced of [false, true])
  t.test(`a node that went on alone, while the other one was promoted${isForced ? ' by force' : ''}`, async t => {
    const nodes = await begun(t)
    if (nodes === undefined) return
    const { anna, berta } = nodes
    await anna.end()
    const { records = '', overlays = '' } = anna.environment.parameters
    const files = new GuestFiles({ records, overlays })
    await files.keep({ ...(await files.read()), isAlone: true })
    await berta.promote(2002, isForced)
    anna.start()
    if (!isForced) {
      await anna.until('split brain is seen', ({ isSplit }) => isSplit)
      await anna.says(/^monitor=running\nscore=\n/m)
      await berta.until('it is told', ({ pair, why }) => pair === 'alone' && why.includes('split brain'))
      // an operator decides
      rmSync(files.splitFile)
    }
    await berta.until('it is protected', ({ pair }) => pair === 'protected')
    t.notOk((await anna.status()).isSplit)
  })

t.test('a guest that is let go on by hand is stopped', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  const qmp = await connectQmp({ path: monitorOf(join(berta.folder, 'run'), 'monitor') })
  const isRunning = async () => ((await qmp.execute('query-status')) as { running: boolean }).running
  // a checkpoint may stop it, too
  await eventually('it is noticed', async () => {
    await qmp.execute('cont')
    await pause(100)
    return berta.said.some(text => text.includes('it was stopped'))
  })
  await eventually('it is stopped', async () => !(await isRunning()))
  await qmp.close()
  t.ok((await anna.checkpoint()) > 0)
})

t.test('a secondary whose QEMU was started anew is promoted by force only', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  await anna.checkpoint()
  // both lose their power
  anna.killQemu()
  berta.killQemu()
  await Promise.all([anna.ended, berta.ended])
  berta.start()
  await berta.until('it is uncertain', ({ data }) => data === 'unknown')
  await berta.says(/^score=\n/m)
  await t.rejects(berta.promote(2002), { message: /is not to be promoted: it is replicating/ })
  await berta.promote(3002, true)
  t.ok((await berta.status()).isRunning)
})

t.test('a node that dies in a take-over goes on with it, and loses nothing', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { anna, berta } = nodes
  const kept = await anna.checkpoint()
  anna.killQemu()
  await anna.ended
  // its record says so before the disk is touched, and the overlays are whole
  const { records = '', overlays = '' } = berta.environment.parameters
  const files = new GuestFiles({ records, overlays })
  const image = join(berta.folder, 'guest.img')
  const before = JSON.parse((await files.records.read(image)) ?? '') as object
  const qmp = await connectQmp({ path: monitorOf(join(berta.folder, 'run'), 'monitor') })
  await qmp.execute('stop')
  await qmp.close()
  berta.killQemu()
  await berta.ended
  const begunWith = { ...before, epoch: 2002, state: 'failing-over', overlays: files.overlaysOf('disk0') }
  await files.records.write(image, JSON.stringify(begunWith))
  berta.start()
  await berta.until('it is to be gone on with', ({ data }) => data === 'checkpoint')
  await berta.promote(3002)
  t.ok((await berta.begins()) >= kept)
  anna.start()
  await berta.until('it is protected', ({ pair }) => pair === 'protected')
})

t.test('strangers, and who comes by an earlier promotion', async t => {
  const nodes = await begun(t)
  if (nodes === undefined) return
  const { berta } = nodes
  const { nodes: places = '' } = berta.environment.parameters
  const [, host = ''] = /berta=([\d.]+):/.exec(places) ?? []
  const visit = (promotion: number, key: string, node = 'anna') =>
    reachPeer({ host, port: 7800, key }, { promotion, node, isForced: false }, { timeout: 5000 })
  const key = 'a name that nobody guesses'
  await t.rejects(visit(1001, 'another name'), { message: /another pair/ })
  await t.rejects(visit(1001, key, 'berta'), { message: /the connection ended/ })
  await t.rejects(visit(1, key), { name: 'PeerRefusal', promotion: 1001 })
  const socket = connect({ host, port: 7800 })
  socket.write('x'.repeat(100_000))
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('close', resolve))
  t.equal((await berta.status()).data, 'checkpoint')
})
