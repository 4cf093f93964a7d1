import t, { type Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import {
  type CheckpointDevices,
  type CheckpointError,
  type CheckpointKind,
  setUpCheckpoints,
} from 'xenlight/checkpoint'
import { coloPrimaryKind, coloSecondaryKind, failOver, pairStatus, type ReplicaDriver } from 'xenlight/colo'
import { type Qmp, stop } from 'xenlight/qmp'
import { type Form, forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, type ImageFormat, onEach, type QemuPair, type QemuSide, qemuPair } from './colo-pair.js'

const nameOf = ({ vdev }: ResolvedDisk) => vdev!
const options = { nameOf, timeout: 10_000 }
const part = 64 * 1024

/** Both sides under checkpoints, as a toolstack on each host has them. */
interface UnderCheckpoints {
  qemus: QemuPair
  here: CheckpointDevices
  there: CheckpointDevices
}

async function underCheckpoints(
  t: Test,
  { form = forms.blockdev, vdevs = ['hda', 'sda'], format = 'raw', driver }: Partial<Case> = {},
): Promise<UnderCheckpoints | undefined> {
  const qemus = await realPart(t, () => qemuPair(t, form, vdevs, format))
  if (qemus === undefined) return undefined
  const { primary, secondary } = qemus
  const there = await setUp(secondary, coloSecondaryKind({ qmp: secondary.qemu.client, epoch: 1 }))
  const here = await setUp(primary, coloPrimaryKind({ qmp: primary.qemu.client, epoch: 1, driver }))
  return { qemus, here, there }
}

const setUp = ({ disks }: QemuSide, kind: CheckpointKind<ResolvedDisk>) => setUpCheckpoints(disks, [kind], options)

/** The guests stand still meanwhile: QEMU's `stop` writes out what it keeps in memory. */
async function checkpoint({ qemus, here, there }: UnderCheckpoints): Promise<void> {
  for (const { qemu } of [qemus.primary, qemus.secondary]) await qemu.client.run(stop)
  await Promise.all([there.postsuspend(), here.postsuspend()])
  await there.preresume()
  await here.preresume()
  await Promise.all([there.commit(), here.commit()])
}

const status = ({ primary, secondary, names: disks, records }: QemuPair) =>
  pairStatus({
    primary: { qmp: primary.qemu.client, records },
    secondary: { qmp: secondary.qemu.client, records },
    disks,
  })

interface Case {
  form: Form
  vdevs: string[]
  format: ImageFormat
  driver: ReplicaDriver | undefined
}
const cases: Case[] = [
  { form: forms.blockdev, vdevs: ['hda', 'sda'], format: 'raw', driver: undefined },
  { form: forms.drive, vdevs: ['hda', 'hdb', 'sda'], format: 'qcow2', driver: 'replication' },
  { form: forms.blockdev, vdevs: ['sda'], format: 'qcow2', driver: 'nbd' },
]

for (const made of cases)
  t.test(`${made.vdevs.join(' ')}, ${made.format}, ${made.driver}: the last checkpoint is taken over`, async t => {
    const both = await underCheckpoints(t, made)
    if (both === undefined) return
    const { qemus, there } = both
    const { primary, secondary, names: disks, records } = qemus
    const wanted = disks.map(() => Buffer.alloc(1024 * 1024))
    for (let round = 1; round <= 3; round++) {
      await onEach(primary, disk => `write -P ${10 * round + disk} ${round}00k 64k`)
      // what the secondary's guest wrote is gone with each checkpoint
      await onEach(secondary, () => `write -P 99 ${round}00k 256k`)
      await checkpoint(both)
      for (const [disk, bytes] of wanted.entries()) {
        const at = round * 100 * 1024
        bytes.fill(10 * round + disk, at, at + part)
      }
    }
    const { disks: seen } = await status(qemus)
    for (const { state } of seen) t.match(state, { kind: 'unknown', why: /records do not say/ }, 'it has no records')
    const image = (await status(qemus)).primary.sight!.disks.flatMap(({ image }) => image!.bitmaps)
    t.strictSame(
      image.map(({ name, count }) => [name, count]),
      disks.map(() => ['colo-1', 0]),
      'a commit begins the changes anew',
    )
    await onEach(primary, () => 'write -P 98 0 1M')
    await onEach(secondary, disk => `write -P ${50 + disk} 512k 64k`)
    for (const [disk, bytes] of wanted.entries()) bytes.fill(50 + disk, 512 * 1024, 512 * 1024 + part)
    await primary.qemu.stop()
    await there.teardown()
    const side = { qmp: secondary.qemu.client, records }
    await t.rejects(failOver({ secondary: side, disks, epoch: 2 }), { code: 'not-promotable' }, 'it has no records')
    await failOver({ secondary: side, disks, epoch: 2, force: 'its toolstack knows' })
    await secondary.qemu.quit()
    for (const [index, disk] of secondary.disks.entries()) t.ok(contents(disk).equals(wanted[index]!), disk.vdev)
  })

t.test('to tear both down leaves the primary alone, with all that it wrote', async t => {
  const both = await underCheckpoints(t)
  if (both === undefined) return
  const { qemus, here, there } = both
  const { primary, secondary } = qemus
  await onEach(primary, () => 'write -P 1 0 64k')
  await checkpoint(both)
  await onEach(primary, () => 'write -P 2 64k 64k')
  await here.teardown()
  await there.teardown()
  await onEach(primary, () => 'write -P 3 128k 64k')
  const { primary: seen, secondary: other } = await status(qemus)
  t.match(
    seen.sight?.disks.map(({ primary }) => primary.kind),
    ['alone', 'alone'],
  )
  t.match(other.sight, { listening: undefined, disks: [{ secondary: { kind: 'replicating' } }, {}] })
  await primary.qemu.quit()
  await secondary.qemu.quit()
  for (const disk of primary.disks)
    t.ok(
      contents(disk)
        .subarray(0, 4 * part)
        .equals(Buffer.concat([1, 2, 3, 0].map(byte => Buffer.alloc(part, byte)))),
    )
})

t.test('a replica that missed a write takes no checkpoint', async t => {
  const both = await underCheckpoints(t)
  if (both === undefined) return
  const { qemus, here, there } = both
  const { primary, secondary } = qemus
  await checkpoint(both)
  await secondary.qemu.stop()
  await onEach(primary, () => 'write -P 1 0 64k')
  await primary.qemu.client.run(stop)
  const error = (await here.postsuspend().catch(error => error)) as CheckpointError
  t.match(error, { name: 'CheckpointError', code: 'step-failed', step: 'postsuspend' })
  t.match(error.failures, [
    { disk: 'hda', error: { name: 'ColoError', code: 'degraded' } },
    { disk: 'sda', error: { name: 'ColoError', code: 'degraded' } },
  ])
  await t.rejects(here.preresume(), { code: 'wrong-order' })
  await here.teardown()
  await onEach(primary, () => 'read -P 1 0 64k')
  await t.rejects(there.teardown(), { code: 'step-failed', step: 'teardown' }, 'its QEMU is gone')
})

t.test('nobody listens: none is replicated', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda', 'sda'], 'raw'))
  if (qemus === undefined) return
  const { primary } = qemus
  const setting = setUp(primary, coloPrimaryKind({ qmp: primary.qemu.client, epoch: 1 }))
  const error = (await setting.then(
    () => undefined,
    error => error,
  )) as CheckpointError
  t.match(error, { code: 'step-failed', step: 'setup', failures: [{ disk: 'hda' }, { disk: 'sda' }], left: [] })
  t.match((await status(qemus)).primary.sight?.disks, [{ primary: { kind: 'alone' } }, { primary: { kind: 'alone' } }])
})

t.test('a disk that COLO cannot protect is answered by each kind', async t => {
  const both = await underCheckpoints(t, { vdevs: ['hda'] })
  if (both === undefined) return
  const { primary, secondary } = both.qemus
  const kinds = [
    () => coloSecondaryKind({ qmp: secondary.qemu.client, epoch: 2 }),
    () => coloPrimaryKind({ qmp: primary.qemu.client, epoch: 2 }),
  ]
  const resolve = (spec: string) =>
    resolveDisk(parseDisk(spec), { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined })
  const [disk] = primary.disks as [ResolvedDisk]
  const plain = setUpCheckpoints(
    [resolve('vdev=hdb,target=/x')],
    kinds.map(make => make()),
    options,
  )
  const answers = /^hdb .*: colo-qdisk, secondary: it has no colo; colo-qdisk, primary: it has no colo$/
  await t.rejects(plain, { name: 'CheckpointError', code: 'no-kind', message: answers })
  const unfit: [disks: ResolvedDisk[], message: RegExp][] = [
    [[disk, { ...disk, vdev: 'hdb' }], /^hdb .*: colo-export "colo-hda" is the id of another drive/],
    [[{ ...disk, coloPort: 0 }], /^hda .*: COLO needs colo-port/],
    [[disk, { ...disk, vdev: 'hdb', coloExport: 'b', coloHost: '127.9.9.9' }], /^hdb .* and hda has others/],
    [[disk, resolve('vdev=hdb,target=/x')], /^hdb .*: it has no colo$/],
  ]
  for (const make of kinds)
    for (const [disks, message] of unfit)
      await t.rejects(setUpCheckpoints(disks, [make()], options), { code: 'no-kind', message })
  t.match((await status(both.qemus)).secondary.sight, { listening: 1 }, 'nothing was done')
  await checkpoint(both)
})

t.test('a kind whose setup failed can be offered the same disks again', async t => {
  const refuses = {
    run: () => Promise.reject(new Error('not now')),
    events: () => ({ async *[Symbol.asyncIterator]() {} }),
  }
  const spec = 'colo,colo-host=127.0.0.1,colo-port=9000,colo-export=e,active-disk=/a,hidden-disk=/h,vdev=hda,target=/x'
  const context = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
  const disk = resolveDisk(parseDisk(spec), context)
  const kind = coloSecondaryKind({ qmp: refuses as unknown as Qmp, epoch: 1 })
  for (let time = 0; time < 2; time++)
    await t.rejects(setUpCheckpoints([disk], [kind], options), { code: 'step-failed', message: /not now/ })
})
