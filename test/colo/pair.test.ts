import t, { type Test } from 'tap'
import {
  blockdevAdd,
  blockdevChange,
  blockExportAdd,
  cont,
  queryBlockExports,
  queryStatus,
  xenSetReplication,
} from 'xenlight/qmp'
import { becomePrimary } from '#xenlight/colo/become-primary.js'
import { attachReplicas, detachReplicas } from '#xenlight/colo/primary.js'
import { ReplicaHealth } from '#xenlight/colo/replica-health.js'
import { resync } from '#xenlight/colo/resync.js'
import { failOver, listen, startReplication } from '#xenlight/colo/secondary.js'
import { takeCheckpoint } from '#xenlight/colo/take-checkpoint.js'
import { type Form, forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { type ColoPair, coloPair, contents, type ImageFormat, onEach } from './colo-pair.js'

const kib = 1024
const sets: [vdevs: string[], format: ImageFormat][] = [
  [['hda'], 'raw'],
  [['sda', 'hdb'], 'qcow2'],
  [['hda', 'hdb', 'sda', 'sdb'], 'raw'],
]

/** A pair that is protected. */
async function protectedPair(t: Test, form: Form, vdevs: string[], format: ImageFormat): Promise<ColoPair | undefined> {
  const pair = await realPart(t, () => coloPair(t, form, vdevs, format))
  if (pair === undefined) return undefined
  const { primary, secondary, names: disks, host, port } = pair
  await listen(secondary.qemu.client, { disks, host, port })
  await startReplication(secondary.qemu.client, { disks })
  await attachReplicas(primary.qemu.client, { disks, host, port, epoch: 1 })
  return pair
}

async function checkpoint({ primary, secondary, names: disks }: ColoPair): Promise<void> {
  using health = new ReplicaHealth(primary.qemu.client)
  await takeCheckpoint({ primary: primary.qemu.client, secondary: secondary.qemu.client, disks, epoch: 1, health })
}

/** The disk at the last checkpoint (10 + its number in the first 64 KiB), with what the secondary's guest wrote since then behind it. */
const taken = (index: number): Buffer => {
  const disk = Buffer.alloc(1024 * kib)
  disk.fill(10 + index, 0, 64 * kib)
  disk.fill(30 + index, 128 * kib, 192 * kib)
  return disk
}

for (const [name, form] of Object.entries(forms))
  for (const [vdevs, format] of sets)
    for (const end of ['killed', 'alive'])
      t.test(`${name}, ${vdevs.join(' ')} (${format}): a primary is ${end}, the secondary takes over`, async t => {
        const pair = await protectedPair(t, form, vdevs, format)
        if (pair === undefined) return
        const { primary, secondary, names: disks } = pair
        await onEach(primary, index => `write -P ${10 + index} 0 64k`)
        await checkpoint(pair)
        await onEach(primary, () => 'write -P 99 0 128k')
        await onEach(secondary, index => `write -P ${30 + index} 128k 64k`)

        if (end === 'killed') await primary.qemu.stop()
        const progress: number[] = []
        const takingOver = failOver(secondary.qemu.client, { disks, onProgress: done => progress.push(done) })
        if (end === 'alive') await onEach(primary, () => 'write -P 98 256k 64k')
        await takingOver
        if (end === 'alive') await onEach(primary, () => 'write -P 97 0 512k')
        t.equal(progress.at(-1), disks.length)
        await failOver(secondary.qemu.client, { disks })

        await onEach(secondary, index => `write -P ${50 + index} 512k 64k`)
        await secondary.qemu.quit()
        for (const [index, disk] of secondary.disks.entries()) {
          const wanted = taken(index)
          wanted.fill(50 + index, 512 * kib, 576 * kib)
          t.ok(contents(disk).equals(wanted), `${disk.vdev}: nothing of the open epoch, and what its own guest wrote`)
        }
      })

t.test('each step may be done again', async t => {
  const pair = await protectedPair(t, forms.blockdev, ['hda', 'hdb'], 'raw')
  if (pair === undefined) return
  const { primary, secondary, names: disks, host, port } = pair
  await listen(secondary.qemu.client, { disks, host, port })
  await startReplication(secondary.qemu.client, { disks })
  await attachReplicas(primary.qemu.client, { disks, host, port, epoch: 1 })
  const other = attachReplicas(primary.qemu.client, { disks, host, port, epoch: 2 })
  await t.rejects(other, { name: 'ColoError', code: 'wrong-state', disk: disks[0] }, 'not over another protection')
  await detachReplicas(primary.qemu.client, { disks, epoch: 1 })
  await detachReplicas(primary.qemu.client, { disks, epoch: 1 })
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
  await failOver(client, { disks, timeout: 10_000 })
  t.match(await client.run(queryBlockExports), [{ id: 'other' }])
  const listening = listen(client, { disks, host: pair.host, port: 9001 })
  await t.rejects(listening, { code: 'wrong-state', disk: disks[0] }, 'and is none that can listen again')
})

t.test('a take-over that is given up goes on when it is asked for again', async t => {
  const pair = await protectedPair(t, forms.blockdev, ['hda', 'hdb'], 'raw')
  if (pair === undefined) return
  const { secondary, names: disks } = pair
  const { client } = secondary.qemu
  await t.rejects(failOver(client, { disks, timeout: 0 }), { code: 'ETIMEDOUT' })
  await t.rejects(failOver(client, { disks, signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  await failOver(client, { disks })
})

t.test('success is not believed: the graph has to show it', async t => {
  const pair = await realPart(t, () => coloPair(t, forms.blockdev, ['hda'], 'raw'))
  if (pair === undefined) return
  const { primary, secondary, names: disks, host, port } = pair
  // libxl takes this for a protected disk
  await primary.qemu.client.run(xenSetReplication, { enable: true, primary: true })
  const swapped = listen(primary.qemu.client, { disks, host, port })
  await t.rejects(swapped, { code: 'not-a-colo-disk' })
  await t.rejects(attachReplicas(secondary.qemu.client, { disks, host, port, epoch: 1 }), { code: 'not-a-colo-disk' })
  await t.rejects(
    failOver(secondary.qemu.client, { disks }),
    { code: 'wrong-state' },
    'never replicated: not promotable',
  )
  await t.rejects(listen(secondary.qemu.client, { disks: ['none'], host, port }), { code: 'not-a-colo-disk' })
})

t.test('nobody listens: the primary stays as it was', async t => {
  const pair = await realPart(t, () => coloPair(t, forms.drive, ['hda', 'hdb'], 'raw'))
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

for (const [lost, name, lose] of [
  [
    'a connection that is cut',
    'drive',
    async ({ primary }: ColoPair) => {
      const instances = [{ type: 'block-node', 'node-name': 'colo-1-1-nbd' }]
      await primary.qemu.qmpOutOfBand('yank', { instances })
    },
  ],
  ['a secondary that is killed', 'blockdev', ({ secondary }: ColoPair) => secondary.qemu.stop()],
] as const)
  t.test(`no checkpoint after ${lost}`, async t => {
    const pair = await protectedPair(t, forms[name], ['hda', 'hdb'], 'raw')
    if (pair === undefined) return
    const { primary, secondary, names: disks } = pair
    const client = primary.qemu.client
    using health = new ReplicaHealth(client)
    const next = () => takeCheckpoint({ primary: client, secondary: secondary.qemu.client, disks, epoch: 1, health })
    await onEach(primary, index => `write -P ${10 + index} 0 64k`)
    await client.run(cont)
    t.match(await next(), { pause: Number })
    t.match(await client.run(queryStatus), { running: true }, 'the guest goes on')
    await lose(pair)
    await onEach(primary, () => 'write -P 99 0 128k')
    const failure = lost.includes('cut')
      ? { name: 'ColoError', code: 'degraded', disk: 'colo-hdb' }
      : { code: 'ECONNRESET' }
    await t.rejects(next(), failure)
    t.match(await client.run(queryStatus), { running: true }, 'nor does it stand still after a failure')
    if (!lost.includes('cut')) return
    await failOver(secondary.qemu.client, { disks })
    await secondary.qemu.quit()
    for (const [index, disk] of secondary.disks.entries()) {
      const wanted = Buffer.alloc(1024 * kib)
      wanted.fill(10 + index, 0, 64 * kib)
      t.ok(contents(disk).equals(wanted), `${disk.vdev}: the last checkpoint is there`)
    }
  })

t.test('a checkpoint with a silent secondary ends in time, and the primary goes on alone', async t => {
  const pair = await protectedPair(t, forms.drive, ['hda', 'hdb'], 'raw')
  if (pair === undefined) return
  const { primary, secondary, names: disks } = pair
  const client = primary.qemu.client
  using health = new ReplicaHealth(client)
  const options = { primary: client, secondary: secondary.qemu.client, disks, epoch: 1, health }
  await client.run(cont)
  await takeCheckpoint(options)
  process.kill(secondary.qemu.pid, 'SIGSTOP')
  const writing = onEach(primary, () => 'write -P 5 0 64k')
  await t.rejects(takeCheckpoint({ ...options, timeout: 300 }), { name: 'QmpError', code: 'ETIMEDOUT' })
  process.kill(secondary.qemu.pid, 'SIGCONT')
  await detachReplicas(client, { disks, epoch: 1, timeout: 5000 })
  await writing
  t.match(await client.run(queryStatus), { running: true })
})

for (const [name, form] of Object.entries(forms))
  for (const [vdevs, format] of sets)
    t.test(`${name}, ${vdevs.join(' ')} (${format}): taken over, protected again, taken over back`, async t => {
      const pair = await protectedPair(t, form, vdevs, format)
      if (pair === undefined) return
      const { primary, secondary, names: disks } = pair
      await onEach(primary, index => `write -P ${10 + index} 0 64k`)
      await checkpoint(pair)
      await primary.qemu.stop()
      const second = secondary.qemu.client
      await failOver(second, { disks })

      await second.run(cont)
      await becomePrimary(second, { disks })
      await becomePrimary(second, { disks })
      t.match(await second.run(queryStatus), { running: true }, 'the guest goes on')
      await onEach(secondary, index => `write -P ${20 + index} 64k 64k`)
      const third = await pair.replacement()
      const at = { host: pair.host, port: 9001 }
      await listen(third.qemu.client, { disks, ...at })
      const copying = resync({
        primary: second,
        secondary: third.qemu.client,
        disks,
        ...at,
        epoch: 2,
        speed: 8 * 1024 * kib,
      })
      await onEach(secondary, index => `write -P ${30 + index} 128k 64k`)
      await copying
      t.match(await second.run(queryStatus), { running: true })

      using health = new ReplicaHealth(second)
      await onEach(secondary, index => `write -P ${40 + index} 192k 64k`)
      await takeCheckpoint({ primary: second, secondary: third.qemu.client, disks, epoch: 2, health })
      await onEach(secondary, () => 'write -P 99 0 512k')
      await secondary.qemu.stop()
      await failOver(third.qemu.client, { disks })
      await third.qemu.quit()
      for (const [index, disk] of third.disks.entries()) {
        const wanted = Buffer.alloc(1024 * kib)
        for (const [at, byte] of [10, 20, 30, 40].entries())
          wanted.fill(byte + index, at * 64 * kib, (at + 1) * 64 * kib)
        t.ok(contents(disk).equals(wanted), `${disk.vdev} is as at the last checkpoint`)
      }
    })
