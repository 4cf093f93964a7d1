import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { blockdevChange, blockdevDel, type Qmp, xenSetReplication } from 'xenlight/qmp'
import { viewBlocks } from '#xenlight/colo/block-view.js'
import { primaryState } from '#xenlight/colo/primary-state.js'
import { type SecondaryState, secondaryState } from '#xenlight/colo/secondary-state.js'
import { type Form, forms } from '../dm-args/real-qemu/forms.js'
import { checkpoint, guestIo, startReplication } from '../dm-args/real-qemu/replicated-pair.js'
import { type Qemu, startQemu } from '../real/qemu.js'
import { type DiskImages, diskImages } from '../support/disk-images.js'
import { realPart } from '../support/real-part.js'

const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')

function coloDisk(vdev: string, format: 'raw' | 'qcow2', images: DiskImages): ResolvedDisk {
  const spec = [
    `format=${format},vdev=${vdev},colo,colo-host=${host},colo-port=9000,colo-export=colo-${vdev}`,
    `active-disk=${images.image('active.qcow2', 'qcow2')},hidden-disk=${images.image('hidden.qcow2', 'qcow2')}`,
    `target=${images.image('disk.img', format)}`,
  ]
  const domidOf = () => undefined
  return resolveDisk(parseDisk(spec.join(',')), { domid: 11, domainType: 'hvm', target: 'file', domidOf })
}

async function withDisks(t: Test, form: Form, disks: ResolvedDisk[], coloRestore: boolean): Promise<Qemu> {
  const { args } = form.build({ disks, options: { domainType: 'hvm', coloRestore } })
  const { qemu, refusal } = await startQemu(args)
  if (qemu === undefined) throw new Error(refusal)
  t.teardown(qemu.stop)
  return qemu
}

const onPrimary = async (qmp: Qmp, names: readonly string[]) => {
  const view = await viewBlocks(qmp)
  return names.map(name => primaryState(view, name))
}

const onSecondary = async (qmp: Qmp, names: readonly string[]) => {
  const view = await viewBlocks(qmp)
  return names.map(name => secondaryState(view, name))
}

/** Looks again until no disk is being committed any more. */
async function afterFailover(qmp: Qmp, names: readonly string[]): Promise<SecondaryState[]> {
  for (;;) {
    const states = await onSecondary(qmp, names)
    if (states.every(({ kind }) => kind !== 'failing-over')) return states
  }
}

const sets: [vdevs: string[], format: 'raw' | 'qcow2'][] = [
  [['hda'], 'raw'],
  [['sda', 'hdb'], 'qcow2'],
  [['hda', 'hdb', 'sda', 'sdb'], 'raw'],
]

for (const [name, form] of Object.entries(forms))
  for (const [vdevs, format] of sets)
    t.test(`the graphs of a pair made with ${name} show what becomes of ${vdevs.join(', ')} (${format})`, async t => {
      const images = diskImages()
      t.teardown(() => images[Symbol.dispose]())
      const [here, there] = [0, 1].map(() => vdevs.map(vdev => coloDisk(vdev, format, images))) as [
        ResolvedDisk[],
        ResolvedDisk[],
      ]
      const names = here.map(({ coloExport }) => coloExport!)
      const all = (state: object) => names.map(() => state)

      const primary = await realPart(t, () => withDisks(t, form, here, false))
      if (primary === undefined) return
      const secondary = await withDisks(t, form, there, true)
      const [p, s] = [primary.client, secondary.client]
      t.match(await onPrimary(p, names), all({ kind: 'alone' }))
      t.match(await onSecondary(s, names), all({ kind: 'ready' }))
      t.match(await onPrimary(s, names), all({ kind: 'no-quorum' }), 'a secondary is no primary')
      t.match(await onSecondary(p, names), all({ kind: 'missing' }), 'nor the other way round')
      t.match(await onPrimary(p, ['none']), [{ kind: 'missing' }])

      await p.run(xenSetReplication, { enable: true, primary: true })
      t.match(await onPrimary(p, names), all({ kind: 'alone' }), 'the success of a command proves nothing')

      await startReplication({ primary, secondary }, here)
      const replicated = await onPrimary(p, names)
      t.match(
        replicated,
        names.map((_, index) => ({
          kind: 'replicated',
          replica: { child: 'children.1', nodeName: `colo_node${index}` },
        })),
      )
      t.match(await onSecondary(s, names), all({ kind: 'replicating' }))
      const [device] = (await primary.qmp<{ qdev?: string }[]>('query-block')).flatMap(({ qdev }) => qdev ?? [])
      await guestIo(primary, device!, 'write -P 1 0 64k')
      await checkpoint({ primary, secondary })
      t.match(await onSecondary(s, names), all({ kind: 'replicating' }))

      for (const [index, parent] of names.entries()) {
        await p.run(blockdevChange, { parent, child: 'children.1' })
        await p.run(blockdevDel, { 'node-name': `colo_node${index}` })
      }
      t.match(await onPrimary(p, names), all({ kind: 'alone' }))
      await s.run(xenSetReplication, { enable: false, primary: false, failover: true })
      t.match(await afterFailover(s, names), all({ kind: 'failed-over' }))
    })

t.test('a failover as libxl asks for it: stopped, and not taken over', async t => {
  const images = diskImages()
  t.teardown(() => images[Symbol.dispose]())
  const [here, there] = [[coloDisk('hda', 'raw', images)], [coloDisk('hda', 'raw', images)]]
  const primary = await realPart(t, () => withDisks(t, forms.blockdev, here, false))
  if (primary === undefined) return
  const secondary = await withDisks(t, forms.blockdev, there, true)
  await startReplication({ primary, secondary }, here)
  const stopping = secondary.client.run(xenSetReplication, { enable: false, primary: false })
  await t.rejects(stopping, { code: 'refused', description: /cancelled unexpectedly/ })
  t.match(await onSecondary(secondary.client, ['colo-hda']), [{ kind: 'stopped' }])
})
