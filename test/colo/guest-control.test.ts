import t from 'tap'
import { endProtection, failOver, protectPair } from 'xenlight/colo'
import { blockdevAdd, cont, type Qmp, queryStatus } from 'xenlight/qmp'
import { parkNode } from '#xenlight/colo/graph/node-names.js'
import { guestOf, resumeAbandoned } from '#xenlight/colo/guest-control.js'
import { guestDevices } from '#xenlight/qmp/commands/guest-devices.js'
import { qomSet } from '#xenlight/qmp/commands/qom-set.js'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { pairOptions, qemuPair } from './colo-pair.js'

const limits = { timeout: 5000 }
const runs = async (qmp: Qmp) => (await qmp.run(queryStatus)).running

/** What a process leaves that is killed while the guest stands still for it. */
async function abandon(qmp: Qmp): Promise<void> {
  await qmp.run(cont)
  await (await guestOf({ qmp }, limits)).stop(limits)
}

t.test('a guest that a process which is gone has stopped goes on; one that others stopped does not', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { client } = qemus.primary.qemu
  await resumeAbandoned(client, limits)
  t.equal(await runs(client), false, 'it was never started')
  await abandon(client)
  t.equal(await runs(client), false)
  await resumeAbandoned(client, limits)
  t.equal(await runs(client), true)
  await client.execute('stop')
  await resumeAbandoned(client, limits)
  t.equal(await runs(client), false, 'its user stopped it')
})

t.test('nor one whose device stands on no disk', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { client } = qemus.primary.qemu
  await abandon(client)
  const park = parkNode('colo-hda')
  await client.run(blockdevAdd, { driver: 'null-co', 'node-name': park, size: 1024 * 1024 })
  const [device] = await client.run(guestDevices)
  await client.run(qomSet, { path: device!.path, property: 'drive', value: park })
  await resumeAbandoned(client, limits)
  t.equal(await runs(client), false)
})

t.test('nor one beside a side that took over', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { primary, secondary, names: disks, records } = qemus
  const [old, next] = [primary.qemu.client, secondary.qemu.client]
  const options = pairOptions(qemus, primary, secondary, 1)
  const pair = await protectPair({ ...options, equal: true })
  await pair[Symbol.asyncDispose]()
  await abandon(old)
  await failOver({ secondary: { qmp: next, records }, disks, epoch: 2 })
  await endProtection(options)
  t.equal(await runs(old), false, 'when the protection is ended')
  const back = { ...pairOptions(qemus, secondary, primary, 3), overlays: qemus.overlays() }
  const again = await protectPair(back)
  await again.checkpoint()
  t.equal(await runs(old), false, 'nor when it follows')
  await again[Symbol.asyncDispose]()
})
