import t from 'tap'
import { addDisks, parseDisk } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { coloDisksOf } from '#xenlight/colo/domain-disks.js'
import { hostWhere, populate, storeWith } from '../support/disk-store.js'
import { onEachStore } from '../support/each-store.js'

const host = hostWhere(() => 'file')

/** A COLO disk's spec; its export is called after it. */
const colo = (vdev: string): string =>
  `format=qcow2,vdev=${vdev},colo,colo-host=192.0.2.1,colo-port=9000,colo-export=e-${vdev},active-disk=/a-${vdev},hidden-disk=/h-${vdev},target=/i:${vdev}`

/** The same as `coloDisksOf` should give it. */
const read = (vdev: string) => ({
  ...{ name: `e-${vdev}`, vdev, host: '192.0.2.1', port: 9000 },
  ...{ activeDisk: `/a-${vdev}`, hiddenDisk: `/h-${vdev}`, image: `/i:${vdev}`, format: 'qcow2' },
})

const attach = (store: Xenstore, specs: readonly string[]) =>
  addDisks(
    store,
    specs.map(spec => parseDisk(spec)),
    { domid: 11, host, wait: false },
  )

/** Where libxl keeps the nodes of hda. */
const hda = '/libxl/11/device/vbd/768'
const guest = [{ domid: 11, type: 'hvm' }] as const

onEachStore('what was attached is read back', async (t, connect) => {
  const store = await connect()
  await populate(store, guest)
  t.strictSame(await coloDisksOf(store, 11), { domain: 'present', disks: [], problems: [] })
  await attach(store, ['vdev=xvdz,target=/plain', colo('sda'), colo('hdb'), 'vdev=hdc,cdrom,target=/cd', colo('hda')])
  const disks = ['hda', 'hdb', 'sda'].map(read)
  t.strictSame(await coloDisksOf(store, 11, { timeout: 30_000 }), { domain: 'present', disks, problems: [] })

  await store.write(`${hda}/colo-export`, 'e-hdb')
  await store.write(`${hda}/colo-port`, '0')
  t.match(await coloDisksOf(store, 11), {
    disks: [read('sda')],
    problems: [
      { devid: 768, vdev: 'hda', reason: 'colo-missing-key', why: 'COLO needs colo-port, which is not set' },
      { devid: 832, vdev: 'hdb', reason: 'colo-export-taken', why: 'colo-export "e-hdb" is the id of another drive' },
    ],
  })
})

/** What somebody wrote into hda's nodes (null: took away), and each reason for which it cannot be protected. */
const foreign: [nodes: Record<string, string | null>, ...reasons: string[]][] = [
  [{ 'colo-host': '' }, 'colo-missing-key'],
  [{ 'colo-host': '(null)', 'hidden-disk': '(null)' }, 'colo-missing-key'],
  [{ 'colo-port': 'nine' }, 'colo-missing-key'],
  [{ 'colo-port': '65536' }, 'colo-port-range'],
  [{ 'colo-port': '-1' }, 'colo-port-range'],
  [{ 'colo-export': 'a b' }, 'colo-export-id'],
  [{ 'colo-export': '../e' }, 'colo-export-id'],
  [{ 'colo-export': 'e\n' }, 'colo-export-id'],
  [{ 'colo-export': 'colo_node768' }, 'colo-export-taken'],
  [{ 'active-disk': '/i:hda' }, 'colo-same-disk'],
  [{ mode: 'r' }, 'colo-read-only'],
  [{ 'device-type': 'cdrom', mode: 'r' }, 'colo-cdrom'],
  [{ type: 'phy', params: '/dev/a' }, 'colo-backend'],
  [{ type: 'junk' }, 'colo-backend'],
  [{ params: 'qcow2:' }, 'node-missing'],
  [{ params: null }, 'node-missing'],
  [{ 'colo-export': '1', 'colo-port': '70000', mode: 'r' }, 'colo-read-only', 'colo-port-range', 'colo-export-id'],
]
for (const [nodes, ...reasons] of foreign) {
  t.test(`foreign nodes: ${JSON.stringify(nodes)}`, async t => {
    const store = await storeWith(t, guest)
    await attach(store, [colo('hda'), colo('hdb')])
    for (const [key, value] of Object.entries(nodes))
      await (value === null ? store.rm(`${hda}/${key}`) : store.write(`${hda}/${key}`, value))
    const { disks, problems } = await coloDisksOf(store, 11)
    t.strictSame(disks, [read('hdb')])
    t.strictSame(
      problems.map(({ devid, vdev, reason }) => [devid, vdev, reason]),
      reasons.map(reason => [768, 'hda', reason]),
    )
  })
}

t.test('nodes that are missing or mean nothing do not hide the other disks', async t => {
  for (const key of ['colo-port', 'colo-export', 'active-disk', 'dev', 'mode', 'backend']) {
    const store = await storeWith(t, guest)
    await attach(store, [colo('hda'), colo('hdb')])
    await store.rm(`${hda}/${key}`)
    const { disks, problems } = await coloDisksOf(store, 11)
    t.strictSame(disks, [read('hdb')])
    const reason = key === 'backend' ? 'device-missing' : 'node-missing'
    t.match(problems, [{ devid: 768, vdev: undefined, reason, why: key === 'backend' ? hda : `${hda}/${key}` }])
    t.equal(problems.length, 1)
  }
})

t.test('a disk without colo-host is none of COLO', async t => {
  const store = await storeWith(t, guest)
  await attach(store, [colo('hda'), colo('hdb')])
  await store.rm(`${hda}/colo-host`)
  t.strictSame(await coloDisksOf(store, 11), { domain: 'present', disks: [read('hdb')], problems: [] })
})

t.test('all are replicated to the host and port of the first', async t => {
  for (const [ours, others] of [
    ['192.0.2.1', '192.0.2.2'],
    ['9000', '9001'],
  ] as const) {
    const store = await storeWith(t, guest)
    const other = colo('hda').replace(ours, others)
    await attach(store, [colo('sda'), other, colo('hdb')])
    const { disks, problems } = await coloDisksOf(store, 11)
    t.match(disks, [{ vdev: 'hda' }])
    t.equal(disks.length, 1)
    t.match(problems, [
      { vdev: 'hdb', reason: 'colo-different-secondary', why: 'hda has others' },
      { vdev: 'sda', reason: 'colo-different-secondary', why: 'hda has others' },
    ])
  }
})

t.test('a guest whose disks COLO cannot protect', async t => {
  const store = await storeWith(t, guest)
  await attach(store, [colo('hda')])
  const outcome = async () => (await coloDisksOf(store, 11)).problems.map(({ reason, why }) => [reason, why])
  const types: [type: string, found: number][] = [
    ['pv', 1],
    ['pvh', 1],
    ['hvm', 0],
    ['junk', 0],
  ]
  for (const [type, found] of types) {
    await store.write('/libxl/11/type', type)
    const problems = await outcome()
    t.equal(problems.length, found, type)
    if (found > 0) t.match(problems, [['colo-guest', `this guest is ${type}`]])
  }
  await store.rm('/libxl/11/type')
  t.strictSame(await outcome(), [])
  await store.write('/local/domain/11/image/device-model-domid', '12')
  t.match(await outcome(), [['colo-guest', /stub domain/]])
})

t.test('what the guest writes into its own directory is not believed', async t => {
  const store = await storeWith(t, guest)
  await attach(store, [colo('hda')])
  for (const [key, value] of Object.entries({ 'colo-host': 'evil', 'colo-export': 'x', backend: '/local/domain/11/x' }))
    await store.write(`/local/domain/11/device/vbd/768/${key}`, value)
  t.strictSame((await coloDisksOf(store, 11)).disks, [read('hda')])
})

t.test('what a terminal would obey is no part of a reason', async t => {
  const store = await storeWith(t, guest)
  await attach(store, [colo('hda'), colo('hdb')])
  await store.write(`${hda}/dev`, 'hda\x1b[31m\u202e')
  await store.write(`${hda}/colo-export`, 'e\x1b[31m\u202e')
  await store.write(`${hda}/colo-host`, '192.0.2.2')
  const { problems } = await coloDisksOf(store, 11)
  t.match(problems, [
    { reason: 'colo-export-id' },
    { reason: 'colo-different-secondary', why: 'hda\u241b[31m\ufffd has' },
  ])
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  for (const { why } of problems) t.notMatch(why, /[\x00-\x1f\u202e]/)
})

t.test('a domain that is not there has no disks, or those that it left', async t => {
  const store = await storeWith(t, guest)
  t.strictSame(await coloDisksOf(store, 99), { domain: 'missing', disks: [], problems: [] })
  await attach(store, [colo('hda')])
  await store.rm('/local/domain/11')
  t.strictSame(await coloDisksOf(store, 11), { domain: 'missing', disks: [read('hda')], problems: [] })
})

t.test('what fails the whole call', async t => {
  const store = await storeWith(t, guest)
  await t.rejects(coloDisksOf(store, -1), RangeError)
  await t.rejects(coloDisksOf({} as Xenstore, 11), TypeError)
  await t.rejects(coloDisksOf(store, 11, { signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  await attach(store, [colo('hda')])
  await store.write('/libxl/11/device/virtio_disk/51712/backend', '/x')
  await t.rejects(coloDisksOf(store, 11), { message: /both xen and virtio paths/ })
})
