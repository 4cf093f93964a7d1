import t from 'tap'
import { blockdevChange, blockdevDel, type Qmp, xenSetReplication } from 'xenlight/qmp'
import { primaryState } from '#xenlight/colo/graph/primary-state.js'
import { type SecondaryState, secondaryState } from '#xenlight/colo/graph/secondary-state.js'
import { viewBlocks } from '#xenlight/qmp/block-view.js'
import { forms } from '../dm-args/real-qemu/forms.js'
import { checkpoint, guestIo, startReplication } from '../dm-args/real-qemu/replicated-pair.js'
import { realPart } from '../support/real-part.js'
import { type ImageFormat, qemuPair } from './colo-pair.js'

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

const sets: [vdevs: string[], format: ImageFormat][] = [
  [['hda'], 'raw'],
  [['sda', 'hdb'], 'qcow2'],
  [['hda', 'hdb', 'sda', 'sdb'], 'raw'],
]

for (const [name, form] of Object.entries(forms))
  for (const [vdevs, format] of sets)
    t.test(`the graphs of a pair made with ${name} show what becomes of ${vdevs.join(', ')} (${format})`, async t => {
      const pair = await realPart(t, () => qemuPair(t, form, vdevs, format))
      if (pair === undefined) return
      const { names } = pair
      const [{ qemu: primary, disks: here }, { qemu: secondary }] = [pair.primary, pair.secondary]
      const all = (state: object) => names.map(() => state)
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
  const pair = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (pair === undefined) return
  const [{ qemu: primary, disks: here }, { qemu: secondary }] = [pair.primary, pair.secondary]
  await startReplication({ primary, secondary }, here)
  const stopping = secondary.client.run(xenSetReplication, { enable: false, primary: false })
  await t.rejects(stopping, { code: 'refused', description: /cancelled unexpectedly/ })
  t.match(await onSecondary(secondary.client, ['colo-hda']), [{ kind: 'stopped' }])
})
