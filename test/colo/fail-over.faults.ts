import { join } from 'node:path'
import t, { type Test } from 'tap'
import { failOver, pairStatus, protectPair, recordFolder } from 'xenlight/colo'
import { cont, stop } from 'xenlight/qmp'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, type ImageFormat, onEach, pairOptions, type QemuPair, type QemuSide, qemuPair } from './colo-pair.js'

const fill = (byte: number): Buffer => Buffer.alloc(64 * 1024, byte)
const start = (...bytes: number[]): Buffer => Buffer.concat(bytes.map(fill))

/** A pair that has a checkpoint with ones in its first part, and open writes of both guests. */
async function openEpoch(t: Test, form: keyof typeof forms, format: ImageFormat): Promise<QemuPair | undefined> {
  const qemus = await realPart(t, () => qemuPair(t, forms[form], ['hda', 'sda'], format))
  if (qemus === undefined) return undefined
  const { primary, secondary } = qemus
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true })
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await onEach(primary, () => 'write -P 9 0 256k')
  await onEach(secondary, () => 'write -P 2 64k 64k')
  await pair[Symbol.asyncDispose]()
  return qemus
}

const side = ({ records }: QemuPair, { qemu }: QemuSide) => ({ qmp: qemu.client, records })

for (const form of ['drive', 'blockdev'] as const)
  for (const format of ['raw', 'qcow2'] as const)
    t.test(`${form}, ${format}: a secondary's QEMU ends in an open epoch: its overlays undo it`, async t => {
      const qemus = await openEpoch(t, form, format)
      if (qemus === undefined) return
      const { primary, secondary, names: disks } = qemus
      await primary.qemu.stop()
      await secondary.qemu.quit()
      const again = await qemus.restart(secondary, 'same secondary')
      const { disks: seen } = await pairStatus({ secondary: side(qemus, again), disks })
      t.match(seen, [{ state: { kind: 'inconsistent' } }, { state: { kind: 'inconsistent' } }])
      const options = { secondary: side(qemus, again), disks, epoch: 2 }
      const refusal = { code: 'not-promotable', message: /may lack what undoes/ }
      await t.rejects(failOver(options), refusal, 'who knows if it was killed')
      await failOver({ ...options, force: 'it ended in order' })
      await onEach(again, () => 'write -P 3 128k 64k')
      await again.qemu.quit()
      for (const disk of again.disks)
        t.ok(
          contents(disk)
            .subarray(0, 256 * 1024)
            .equals(start(1, 2, 3, 0)),
          disk.vdev,
        )
    })

t.test('a secondary that is killed while it takes over goes on when it is started anew', async t => {
  for (let wait = 0; wait < 30; wait += 3) {
    const qemus = await openEpoch(t, 'blockdev', 'raw')
    if (qemus === undefined) return
    const { primary, secondary, names: disks } = qemus
    await primary.qemu.stop()
    const taking = failOver({ secondary: side(qemus, secondary), disks, epoch: 2 }).then(
      () => true,
      () => false,
    )
    await new Promise(resolve => setTimeout(resolve, wait))
    await secondary.qemu.stop()
    const isDone = await taking
    const again = await qemus.restart(secondary, isDone ? 'primary' : 'same secondary')
    const options = { secondary: side(qemus, again), disks, epoch: 2 }
    const refusal = await failOver(options).catch(error => error as Error)
    if (refusal !== undefined) {
      t.match(
        refusal,
        { code: 'not-promotable', message: /may lack what undoes|was taken over/ },
        'it was killed before its overlays were whole, or after all was done',
      )
      continue
    }
    await again.qemu.quit()
    for (const disk of again.disks)
      t.ok(
        contents(disk)
          .subarray(0, 256 * 1024)
          .equals(start(1, 2, 0, 0)),
        `after ${wait} ms: ${disk.vdev}`,
      )
  }
})

t.test('what is not to be taken over', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const take = (epoch: number, options: object = {}) =>
    failOver({ secondary: side(qemus, secondary), disks, epoch, ...options })
  await t.rejects(
    take(1),
    { code: 'not-promotable', message: /nothing is recorded/ },
    'a disk that was never protected',
  )
  await t.rejects(take(1, { force: 'I say so' }), { code: 'not-promotable' }, 'not even by force')
  await t.rejects(failOver({ secondary: side(qemus, primary), disks, epoch: 1 }), { code: 'not-promotable' })
  await t.rejects(take(1, { disks: ['none'] }), { code: 'not-promotable' })
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 5), equal: true })
  await t.rejects(take(4), { code: 'old-epoch' })
  await t.rejects(take(5), { code: 'old-epoch' }, 'a take-over has a number of its own')
  await pair.stop()
  t.match([...pair.states.values()], [{ kind: 'outdated', why: 'the protection was ended' }])
  await t.rejects(take(6), { code: 'not-promotable', message: /outdated/ }, 'the primary goes on alone')
  await take(6, { force: 'the primary is lost' })
  await take(6)
})

t.test('an older primary does not get through to who took over', async t => {
  const qemus = await openEpoch(t, 'blockdev', 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2 })
  await onEach(primary, () => 'write -P 7 0 256k')
  await t.rejects(protectPair(pairOptions(qemus, primary, secondary, 1)), { name: 'ColoError', code: 'old-epoch' })
  await primary.qemu.client.run(cont)
  await secondary.qemu.client.run(cont)
  const status = await pairStatus({ primary: side(qemus, primary), secondary: side(qemus, secondary), disks })
  t.match(status, { splitBrain: true, epoch: 2, disks: [{ state: { kind: 'fenced' } }, { state: { kind: 'fenced' } }] })
  const swapped = { ...pairOptions(qemus, secondary, primary, 3), overlays: qemus.overlays() }
  await t.rejects(protectPair(swapped), { code: 'split-brain' }, 'not while its guest runs')
  await primary.qemu.client.run(stop)
  await secondary.qemu.client.run(stop)
  const older = { ...pairOptions(qemus, primary, secondary, 3), overlays: qemus.overlays() }
  const refusal = { code: 'old-epoch', message: /the other way round/ }
  await t.rejects(protectPair(older), refusal, 'nor by a greater number, over what was written since')
  const back = await protectPair(swapped)
  await back[Symbol.asyncDispose]()
  await secondary.qemu.quit()
  for (const disk of secondary.disks)
    t.ok(
      contents(disk)
        .subarray(0, 256 * 1024)
        .equals(start(1, 2, 0, 0)),
      disk.vdev,
    )
})

t.test('nothing is done that cannot be recorded', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  // where no folder can be made
  const full = recordFolder(join(primary.disks[0]!.pdevPath!, 'none'))
  const options = pairOptions(qemus, primary, secondary, 1)
  await t.rejects(protectPair({ ...options, secondary: { ...options.secondary, records: full } }), { code: 'record' })
  const { disks: seen } = await pairStatus({ primary: options.primary, secondary: options.secondary, disks })
  t.match(seen, [{ state: { kind: 'unprotected' } }])
  const pair = await protectPair({ ...options, equal: true })
  await pair[Symbol.asyncDispose]()
  const unwritable = { qmp: secondary.qemu.client, records: { ...full, read: options.secondary.records.read } }
  await t.rejects(failOver({ secondary: unwritable, disks, epoch: 2 }), { code: 'record' })
  t.match((await pairStatus({ secondary: options.secondary, disks })).secondary.sight?.disks, [
    { secondary: { kind: 'replicating' } },
  ])
})

t.test('an attempt that fails at its last step leaves no record that says more', async t => {
  // this QEMU has no replication driver, which comes out when all is copied
  const settings = { primary: { binary: 'xen-qemu-system-i386' as const } }
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw', settings))
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  await t.rejects(protectPair({ ...options, driver: 'replication' }), { name: 'QmpError', code: 'refused' })
  const status = await pairStatus({ primary: options.primary, secondary: options.secondary, disks })
  t.match(status.disks, [{ state: { kind: 'outdated' }, promotable: { yes: false } }])
  const alone = await pairStatus({ secondary: options.secondary, disks })
  t.match(alone.disks, [{ state: { kind: 'outdated' }, promotable: { yes: false } }], 'nor without the primary')
  const pair = await protectPair({ ...options, epoch: 2 })
  t.match([...pair.states.values()], [{ kind: 'protected' }])
  await pair.stop()
})

t.test('a disk that was taken over is not taken back to what its old overlays hold', async t => {
  const qemus = await openEpoch(t, 'drive', 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2 })
  await onEach(secondary, () => 'write -P 7 64k 64k')
  await secondary.qemu.quit()
  const again = await qemus.restart(secondary, 'same secondary')
  for (const epoch of [2, 3]) {
    const refusal = { code: 'not-promotable', message: /by a primary's arguments/ }
    await t.rejects(failOver({ secondary: side(qemus, again), disks, epoch, force: 'I say so' }), refusal)
  }
  t.match((await pairStatus({ secondary: side(qemus, again), disks })).disks, [{ promotable: { yes: false } }, {}])
  await again.qemu.quit()
  for (const disk of again.disks)
    t.ok(
      contents(disk)
        .subarray(0, 256 * 1024)
        .equals(start(1, 7, 0, 0)),
      disk.vdev,
    )
})
