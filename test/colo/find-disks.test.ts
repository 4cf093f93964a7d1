import t from 'tap'
import { failOver, findDisks, protectPair } from 'xenlight/colo'
import { blockdevAdd, blockExportAdd } from 'xenlight/qmp'
import { forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { type ImageFormat, pairOptions, qemuPair } from './colo-pair.js'

/** Disks that are none of COLO. */
const others = [
  ...['-blockdev', 'null-co,node-name=aa-plain,size=1048576'],
  ...['-drive', 'if=none,id=aa-drive,driver=null-co,size=1048576'],
  ...['-blockdev', 'null-co,node-name=aa-below,size=1048576'],
]

const cases: [form: keyof typeof forms, vdevs: string[], format: ImageFormat][] = [
  ['drive', ['sda', 'hda', 'hdb'], 'qcow2'],
  ['blockdev', ['sda', 'hda'], 'raw'],
]
for (const [form, vdevs, format] of cases)
  t.test(`${form}: the disks of both sides are found, whatever their state`, async t => {
    const qemus = await realPart(t, () =>
      qemuPair(t, forms[form], vdevs, format, { primary: { args: others }, secondary: { args: others } }),
    )
    if (qemus === undefined) return
    const { primary, secondary, names, records } = qemus
    const [here, there] = [primary.qemu.client, secondary.qemu.client]
    const sorted = [...names].sort()
    t.notSame(names, sorted, 'they come in another order')
    t.strictSame(await findDisks(here), sorted, 'of a primary')
    t.strictSame(await findDisks(there), sorted, 'of a secondary')

    await there.run(blockdevAdd, { driver: 'raw', 'node-name': 'aa-export', file: 'aa-below' })
    const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true })
    t.teardown(() => pair[Symbol.asyncDispose]())
    await there.run(blockExportAdd, { type: 'nbd', id: 'aa-export', 'node-name': 'aa-export', name: 'x' })
    t.strictSame(await findDisks(here), sorted, 'of a primary with replicas')
    t.strictSame(await findDisks(there, { timeout: 5000 }), sorted, 'of a secondary that replicates')
    await pair.checkpoint()
    await pair[Symbol.asyncDispose]()
    await primary.qemu.stop()
    await failOver({ secondary: { qmp: there, records }, disks: names, epoch: 2 })
    t.strictSame(await findDisks(there), sorted, 'of one that took over')
  })

t.test('a QEMU without disks of COLO has none', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const [disk] = qemus.primary.disks
  await qemus.primary.qemu.stop()
  const plain = { ...disk!, coloEnable: false }
  const other = await qemus.restart({ ...qemus.primary, disks: [plain] }, 'primary')
  t.strictSame(await findDisks(other.qemu.client), [])
  await t.rejects(findDisks(qemus.secondary.qemu.client, { signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  await qemus.secondary.qemu.stop()
  await t.rejects(findDisks(qemus.secondary.qemu.client), { name: 'QmpError' })
})
