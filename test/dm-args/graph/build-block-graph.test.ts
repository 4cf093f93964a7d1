import fc from 'fast-check'
import t from 'tap'
import { LibxlError, type ResolvedDisk } from 'xenlight'
import { type BlockdevOptions, type BlockGraph, buildBlockdevArgs, buildBlockGraph } from 'xenlight/dm-args'
import { anyDisks, anyOptions, colo, resolved } from '../blockdev/disks.js'
import { nodesOf, within } from '../blockdev/nodes.js'

const guest = { domainType: 'hvm' } as const

/** Each edge as the first lines of what it joins. */
function edgesOf({ nodes, edges }: BlockGraph): string[] {
  const labels = new Map(nodes.map(({ id, label }) => [id, label[0]]))
  return edges.map(
    ({ from, to, role, later }) => `${labels.get(from)} ${later ? '~' : '-'} ${role} > ${labels.get(to)}`,
  )
}

const cases: [name: string, disks: ResolvedDisk[], options: Partial<BlockdevOptions>, edges: string[]][] = [
  ['no disk', [], {}, []],
  [
    'plain disks',
    [resolved('format=qcow2,vdev=hda,target=/a'), resolved('vdev=sdb,target=/dev/b')],
    {},
    [
      'ide-hd ide-768 - drive > qcow2 ide0-hd0',
      'qcow2 ide0-hd0 - file > file ide0-hd0-file',
      'scsi-hd scsi-2064 - drive > raw scsi0-hd1',
      'raw scsi0-hd1 - file > host_device scsi0-hd1-file',
    ],
  ],
  ['a CD drive without a medium', [resolved('cdrom,vdev=hdc,format=empty,target=')], {}, []],
  [
    'a stub domain',
    [resolved('vdev=hda,target=/a')],
    { stubdom: true },
    ['ide-hd ide-768 - drive > host_device ide0-hd0'],
  ],
  [
    'a COLO primary',
    [colo('vdev=hda,target=/p')],
    {},
    [
      'ide-hd ide-768 - drive > quorum colo-disk0',
      'quorum colo-disk0 - children.0 > raw ide0-hd0',
      'raw ide0-hd0 - file > file ide0-hd0-file',
      'quorum colo-disk0 ~ children.1 > replication',
      'replication ~ file > nbd',
    ],
  ],
  [
    'a COLO secondary',
    [colo('vdev=hda,target=/s')],
    { coloRestore: true },
    [
      'ide-hd ide-768 - drive > replication top-colo',
      'replication top-colo - file > qcow2 top-colo-active',
      'qcow2 top-colo-active - file > file top-colo-active-file',
      'qcow2 top-colo-active - backing > qcow2 top-colo-hidden',
      'qcow2 top-colo-hidden - file > file top-colo-hidden-file',
      'qcow2 top-colo-hidden - backing > raw colo-disk0',
      'raw colo-disk0 - file > file ide0-hd0-file',
      'NBD server ~ export > raw colo-disk0',
    ],
  ],
]

t.test('each shape of a disk has its graph', t => {
  for (const [name, disks, options, edges] of cases)
    t.strictSame(edgesOf(buildBlockGraph(disks, { ...guest, ...options })), edges, name)
  t.end()
})

t.test('labels say what, where and how', t => {
  const labels = (disk: ResolvedDisk, options: Partial<BlockdevOptions> = {}) =>
    buildBlockGraph([disk], { ...guest, ...options }).nodes.map(({ kind, label }) => [kind, ...label])
  t.strictSame(labels(resolved('cdrom,vdev=hdc,target=/cd.iso')), [
    ['device', 'ide-cd ide-5632', 'hdc on ide.1 unit 0'],
    ['format', 'raw ide-5632', 'read-only'],
    ['protocol', 'file ide-5632-file', '/cd.iso'],
  ])
  t.strictSame(labels(resolved('cdrom,vdev=hdd,format=empty,target=')), [
    ['device', 'ide-cd ide-5696', 'hdd on ide.1 unit 1', 'no medium'],
  ])
  t.strictSame(labels(resolved('backendtype=tap,format=vhd,vdev=sdc,target=/a'), { physicalDevicePath: '/run/tap' }), [
    ['device', 'scsi-hd scsi-2080', 'sdc on scsi0.0 id 2'],
    ['format', 'raw scsi0-hd2'],
    ['protocol', 'nbd scsi0-hd2-file', '/run/tap'],
  ])
  t.strictSame(labels(colo('vdev=hda,target=/p')).slice(1), [
    ['quorum', 'quorum colo-disk0'],
    ['format', 'raw ide0-hd0'],
    ['protocol', 'file ide0-hd0-file', '/p'],
    ['replication', 'replication', 'mode=primary'],
    ['protocol', 'nbd', '192.0.2.7:9999', 'export colo-disk0'],
  ])
  const secondary = labels({ ...colo('vdev=hda,target=/s'), coloHost: '2001:db8::7' }, { coloRestore: true })
  t.strictSame(secondary[1], ['replication', 'replication top-colo', 'mode=secondary'])
  t.strictSame(secondary.at(-1), ['server', 'NBD server', '[2001:db8::7]:9999', 'export colo-disk0'])
  t.end()
})

t.test('only HVM guests have emulated disks', t => {
  t.strictSame(buildBlockGraph([resolved('vdev=hda,target=/a')], { domainType: 'pvh' }), {
    nodes: [],
    edges: [],
    warnings: [],
  })
  t.end()
})

t.test('whatever the disks are: the nodes of the arguments, each reached by a device, or the same refusal', t => {
  let drawn = 0
  fc.assert(
    fc.property(anyDisks, anyOptions, (disks, options) => {
      const args = outcome(() => buildBlockdevArgs(disks, options).args)
      const graph = outcome(() => buildBlockGraph(disks, options))
      if (graph instanceof LibxlError || args instanceof LibxlError) {
        if (String(graph) !== String(args)) throw new Error(`${graph} but ${args}`)
        return
      }
      if (graph.nodes.length > 0) drawn++
      const ids = new Set(graph.nodes.map(({ id }) => id))
      if (ids.size < graph.nodes.length) throw new Error('an id twice')
      for (const { from, to } of graph.edges) if (!ids.has(from) || !ids.has(to)) throw new Error(`${from} to ${to}`)
      const reached = new Set(graph.edges.map(({ to }) => to))
      for (const { id, kind } of graph.nodes) {
        if (reached.has(id) === (kind === 'device' || kind === 'server')) throw new Error(`${kind} ${id}`)
      }
      const names = nodesOf(args)
        .flatMap(within)
        .map(node => `node/${node['node-name']}`)
      const drawnNames = [...ids].filter(id => id.startsWith('node/'))
      if (`${names.sort()}` !== `${drawnNames.sort()}`) throw new Error(`${names} but ${drawnNames}`)
    }),
    { numRuns: 2000 },
  )
  t.ok(drawn > 200, `${drawn} graphs`)
  t.end()
})

function outcome<T>(build: () => T): T | LibxlError {
  try {
    return build()
  } catch (error) {
    if (error instanceof LibxlError) return error
    throw error
  }
}
