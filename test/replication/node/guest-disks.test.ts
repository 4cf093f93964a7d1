import t from 'tap'
import type { Qmp } from 'xenlight/qmp'
import { findGuestDisks } from '#xenlight/replication/node/guest-disks.js'

/** A QEMU that has one disk, and says that it has this size. */
function qemuOf(virtualSize: number): Qmp {
  const replies: Record<string, unknown> = {
    'query-jobs': [],
    'x-debug-query-block-graph': {
      nodes: [
        { id: 1, kind: 'block-backend', name: 'drive0' },
        { id: 2, kind: 'block-driver', name: 'node0' },
      ],
      edges: [{ parent: 1, child: 2, name: 'root' }],
    },
    'query-named-block-nodes': [
      { nodeName: 'node0', driver: 'file', file: '/disk', readOnly: false, virtualSize, bitmaps: [] },
    ],
  }
  return { run: async ({ name }: { name: string }) => replies[name] } as unknown as Qmp
}

t.test('a disk is found by its device, or by a node', async t => {
  for (const node of ['drive0', 'node0'])
    t.match(await findGuestDisks({ qmp: qemuOf(65_536) }, { root: { node } }), [
      { volume: 'root', device: 'drive0', size: 65_536 },
    ])
  await t.rejects(findGuestDisks({ qmp: qemuOf(65_536) }, { root: { node: 'other' } }), { code: 'not-found' })
})

t.test('a size that is none is that QEMU’s trouble, and no other guest’s', async t => {
  for (const size of [-1, 0, 0.5, 2 ** 53, 1e300, Number.NaN])
    await t.rejects(findGuestDisks({ qmp: qemuOf(size) }, { root: { node: 'node0' } }), { code: 'qemu' }, `${size}`)
})
