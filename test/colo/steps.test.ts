import t, { type Test } from 'tap'
import { blockdevAdd, blockdevChange, blockExportAdd, queryBlockExports, xenSetReplication } from 'xenlight/qmp'
import { attachReplicas, detachReplicas } from '#xenlight/colo/primary.js'
import { listen, startReplication } from '#xenlight/colo/secondary.js'
import { takeOverDisks } from '#xenlight/colo/take-over/take-over-disks.js'
import { type Form, forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { type ImageFormat, onEach, type QemuPair, qemuPair } from './colo-pair.js'

/** A pair that is protected. */
async function protectedPair(t: Test, form: Form, vdevs: string[], format: ImageFormat): Promise<QemuPair | undefined> {
  const pair = await realPart(t, () => qemuPair(t, form, vdevs, format))
  if (pair === undefined) return undefined
  const { primary, secondary, names: disks, host, port } = pair
  await listen(secondary.qemu.client, { disks, host, port, epoch: 1 })
  await startReplication(secondary.qemu.client, { disks })
  await attachReplicas(primary.qemu.client, { disks, host, port, epoch: 1 })
  return pair
}

t.test('each step may be done again', async t => {
  const pair = await protectedPair(t, forms.blockdev, ['hda', 'hdb'], 'raw')
  if (pair === undefined) return
  const { primary, secondary, names: disks, host, port } = pair
  await listen(secondary.qemu.client, { disks, host, port, epoch: 1 })
  await startReplication(secondary.qemu.client, { disks })
  await attachReplicas(primary.qemu.client, { disks, host, port, epoch: 1 })
  const other = attachReplicas(primary.qemu.client, { disks, host, port, epoch: 2 })
  await t.rejects(other, { name: 'ColoError', code: 'wrong-state', disk: disks[0] }, 'not over another protection')
  await detachReplicas(primary.qemu.client, { disks, epoch: 1 })
  await detachReplicas(primary.qemu.client, { disks, epoch: 1 })
  const early = attachReplicas(primary.qemu.client, { disks, host, port, epoch: 2 })
  await t.rejects(early, { code: 'refused', command: 'blockdev-add' }, 'the exports are of another epoch')
  await listen(secondary.qemu.client, { disks, host, port, epoch: 2 })
  await attachReplicas(primary.qemu.client, { disks, host, port, epoch: 2 })
})

t.test('a secondary that is silent does not hold its primary', async t => {
  const pair = await protectedPair(t, forms.drive, ['hda', 'sda'], 'raw')
  if (pair === undefined) return
  const { primary, secondary, names: disks } = pair
  process.kill(secondary.qemu.pid, 'SIGSTOP')
  t.teardown(() => process.kill(secondary.qemu.pid, 'SIGCONT'))
  const writing = onEach(primary, () => 'write -P 5 0 64k')
  await detachReplicas(primary.qemu.client, { disks, epoch: 1, timeout: 5000 })
  await writing
  await onEach(primary, () => 'read -P 5 0 64k')
  await primary.qemu.quit()
  t.notMatch(primary.qemu.printed(), /fail/)
})

t.test('a take-over leaves the exports of others alone', async t => {
  const pair = await protectedPair(t, forms.blockdev, ['hda'], 'raw')
  if (pair === undefined) return
  const { secondary, names: disks } = pair
  const { client } = secondary.qemu
  await client.run(blockdevAdd, { driver: 'null-co', 'node-name': 'other', size: 512 })
  await client.run(blockExportAdd, { type: 'nbd', id: 'other', 'node-name': 'other', name: 'other' })
  await takeOverDisks(client, { disks, timeout: 10_000 })
  t.match(await client.run(queryBlockExports), [{ id: 'other' }])
  const listening = listen(client, { disks, host: pair.host, port: 9001, epoch: 2 })
  await t.rejects(listening, { code: 'wrong-state', disk: disks[0] }, 'and is none that can listen again')
})

t.test('a take-over that is given up goes on when it is asked for again', async t => {
  const pair = await protectedPair(t, forms.blockdev, ['hda', 'hdb'], 'raw')
  if (pair === undefined) return
  const { secondary, names: disks } = pair
  const { client } = secondary.qemu
  await t.rejects(takeOverDisks(client, { disks, timeout: 0 }), { code: 'ETIMEDOUT' })
  await t.rejects(takeOverDisks(client, { disks, signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  await takeOverDisks(client, { disks })
})

t.test('success is not believed: the graph has to show it', async t => {
  const pair = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (pair === undefined) return
  const { primary, secondary, names: disks, host, port } = pair
  // libxl takes this for a protected disk
  await primary.qemu.client.run(xenSetReplication, { enable: true, primary: true })
  const swapped = listen(primary.qemu.client, { disks, host, port, epoch: 1 })
  await t.rejects(swapped, { code: 'not-a-colo-disk' })
  await t.rejects(attachReplicas(secondary.qemu.client, { disks, host, port, epoch: 1 }), { code: 'not-a-colo-disk' })
  await t.rejects(
    takeOverDisks(secondary.qemu.client, { disks }),
    { code: 'wrong-state' },
    'never replicated: not promotable',
  )
  await t.rejects(listen(secondary.qemu.client, { disks: ['none'], host, port, epoch: 1 }), { code: 'not-a-colo-disk' })
})

t.test('nobody listens: the primary stays as it was', async t => {
  const pair = await realPart(t, () => qemuPair(t, forms.drive, ['hda', 'hdb'], 'raw'))
  if (pair === undefined) return
  const { primary, names: disks, host, port } = pair
  const failing = attachReplicas(primary.qemu.client, { disks, host, port, epoch: 1 })
  await t.rejects(failing, { code: 'refused', command: 'blockdev-add' })
  const nodes = await primary.qemu.qmp<{ 'node-name': string }[]>('query-named-block-nodes')
  t.strictSame(
    nodes.filter(node => node['node-name'].startsWith('colo-1-')),
    [],
  )
  const missing = primary.qemu.client.run(blockdevChange, { parent: disks[0]!, child: 'children.1' })
  await t.rejects(missing, { code: 'refused' }, 'and has no replica')
})
