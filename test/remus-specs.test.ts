import t from 'tap'
import { type DomainType, diskToNodes, parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildDiskArgs, diskWarnings } from 'xenlight/dm-args'
import { type CheckpointControl, drbdKind, protocolDKind, tapKind } from 'xenlight/remus'
import { startLibxlutil } from './real/libxlutil.js'
import { realPart } from './support/real-part.js'

const remus = 'remus:192.0.2.1:9000|aio:/srv/g.img'
const nbd = 'nbd+unix:///r0?socket=/run/r0.sock'

interface Row {
  spec: string
  /** libxlutil's record. */
  record: { pdev_path: string; script?: string; format?: string; backend?: string }
  stat: 'block' | 'missing'
  /** libxl's choice, or the reason of its refusal. */
  resolved: string
  params?: string
  script?: string
  /** What QEMU opens for an HVM guest; with what the script has published, where it has. */
  opens?: string
  published?: string
  opensPublished?: string
  /** The checkpoint kind that takes it. */
  kind?: string
}

const drbd: Omit<Row, 'spec'> = {
  record: { pdev_path: 'r0', script: 'block-drbd', format: 'raw' },
  stat: 'missing',
  ...{ resolved: 'phy', params: 'r0', script: '/etc/xen/scripts/block-drbd' },
  ...{ published: '/dev/drbd0', opensPublished: '/dev/drbd0', kind: 'drbd' },
}

/** What libxlutil and libxl answer, as it was observed: the device's kind, its `params` and `script`. */
const rows: Row[] = [
  {
    spec: 'phy:/dev/drbd0,xvda,w',
    record: { pdev_path: '/dev/drbd0', format: 'raw' },
    ...{ stat: 'block', resolved: 'phy', params: '/dev/drbd0', script: '/etc/xen/scripts/block', opens: '/dev/drbd0' },
    kind: 'drbd',
  },
  { spec: 'format=raw,vdev=xvda,access=rw,script=block-drbd,target=r0', ...drbd },
  { spec: 'drbd:r0,xvda,w', ...drbd },
  {
    spec: `tap:${remus},xvda,w`,
    record: { pdev_path: remus, format: 'raw' },
    ...{ stat: 'missing', resolved: 'target-missing' },
  },
  {
    spec: `tap:tapdisk:${remus},xvda,w`,
    record: { pdev_path: remus, format: 'raw' },
    ...{ stat: 'missing', resolved: 'target-missing' },
  },
  {
    spec: `backendtype=tap,format=raw,vdev=xvda,access=rw,target=${remus}`,
    record: { pdev_path: remus, format: 'raw', backend: 'tap' },
    ...{ stat: 'missing', resolved: 'tap', params: `aio:${remus}`, script: '/etc/xen/scripts/block-tap' },
    // by libxl, a raw disk without a script of its own is its target; as a name of a file here
    opens: `./${remus}`,
    kind: 'tap',
  },
  {
    spec: `format=raw,vdev=xvda,access=rw,target=${nbd}`,
    record: { pdev_path: nbd, format: 'raw' },
    ...{ stat: 'missing', resolved: 'qdisk', params: `aio:${nbd}`, opens: nbd },
    kind: 'protocol-d',
  },
]

const context = (row: Row, domainType: DomainType) =>
  ({ domid: 5, domainType, target: row.stat, domidOf: () => undefined, create: true }) as const

/** What a kind would do with it does not matter here. */
const never = async () => {
  throw new Error('only asked whether it takes the disk')
}
const kinds = [
  drbdKind({ probe: never, open: never }),
  tapKind({ open: never }),
  protocolDKind({ connect: async () => ({}) as CheckpointControl }),
]

/** The first kind that takes a disk. */
async function kindOf(disk: ResolvedDisk): Promise<string | undefined> {
  for (const kind of kinds)
    if ('device' in (await kind.match(disk, { signal: new AbortController().signal }))) return kind.name
  return undefined
}

for (const row of rows)
  t.test(row.spec, async t => {
    const { pdev_path: pdevPath, script, format, backend = 'unknown' } = row.record
    const disk = parseDisk(row.spec)
    t.match(disk, { pdevPath, format, backend, vdev: 'xvda', readwrite: true })
    t.equal(disk.script, script)
    if (row.resolved === 'target-missing') {
      t.throws(() => resolveDisk(disk, context(row, 'hvm')), { name: 'LibxlError', rc: -6, reason: 'target-missing' })
      return
    }
    const resolved = resolveDisk(disk, context(row, 'hvm'))
    t.equal(resolved.backend, row.resolved)
    const nodes = diskToNodes(resolved, { domid: 5, domainType: 'hvm' })
    const value = (key: string) =>
      nodes.find(({ path }) => path.includes('/backend/') && path.endsWith(`/${key}`))?.value
    t.strictSame([value('params'), value('script')], [row.params, row.script])
    const options = { domainType: 'hvm' } as const
    const { args, warnings } = buildDiskArgs([resolved], options)
    if (row.opens === undefined) {
      t.strictSame(args, [], 'the name of a resource is never given to QEMU')
      t.match(warnings, [/^No way to get local access disk to image: xvda/])
      t.match(diskWarnings([resolved], options), [{ vdev: 'xvda', code: 'not-emulated' }])
    } else t.ok(args[1]!.startsWith(`file=${row.opens},if=ide,`), args.join(' '))
    if (row.published !== undefined) {
      const { args } = buildDiskArgs([resolved], { ...options, physicalDevicePath: row.published })
      t.ok(args[1]!.startsWith(`file=${row.opensPublished},if=ide,`), args.join(' '))
    }
    t.equal(await kindOf(resolved), row.kind)
  })

t.test('drbd: for a CD drive, or by qdisk, is refused', t => {
  for (const spec of [
    'script=block-drbd,vdev=hdc,cdrom,target=r0',
    'script=block-drbd,backendtype=qdisk,vdev=hda,target=r0',
  ])
    t.throws(
      () => resolveDisk(parseDisk(spec), context(rows[1]!, 'hvm')),
      { name: 'LibxlError', reason: 'backend-unsuitable' },
      spec,
    )
  t.end()
})

t.test('the real libxlutil reads the same', async t => {
  using libxlutil = await realPart(t, startLibxlutil)
  if (libxlutil === undefined) return
  const answers = await libxlutil.disks(rows.map(({ spec }) => [Buffer.from(spec)]))
  for (const [index, { spec, record }] of rows.entries()) {
    const answer = answers[index]!
    if (answer === 'crash') t.fail(spec)
    else t.match(JSON.parse(answer.json?.toString() ?? '{}'), { ...record, vdev: 'xvda', readwrite: 1 }, spec)
  }
})
