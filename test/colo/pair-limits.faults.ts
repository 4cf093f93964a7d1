import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type ColoPair,
  endProtection,
  failOver,
  localFreeSpace,
  type PairEvent,
  pairStatus,
  protectPair,
  type Side,
} from 'xenlight/colo'
import {
  blockdevAdd,
  blockdevMirror,
  type QmpCommand,
  QmpError,
  queryBlockExports,
  queryNamedBlockNodes,
} from 'xenlight/qmp'
import { forms } from '../dm-args/real-qemu/forms.js'
import { diskImages } from '../support/disk-images.js'
import { realPart } from '../support/real-part.js'
import { contents, onEach, pairOptions, type QemuPair, type QemuSide, qemuPair, smallFileSystem } from './colo-pair.js'

const side = ({ records }: QemuPair, { qemu }: QemuSide) => ({ qmp: qemu.client, records })
const kinds = ({ states }: ColoPair) => [...new Set([...states.values()].map(({ kind }) => kind))]

async function until(what: () => boolean, milliseconds = 10_000): Promise<void> {
  for (const end = performance.now() + milliseconds; !what() && performance.now() < end; )
    await new Promise(resolve => setTimeout(resolve, 20))
}

const made = (t: Test, ...rest: Parameters<typeof qemuPair> extends [Test, ...infer Rest] ? Rest : never) =>
  realPart(t, () => qemuPair(t, ...rest))

t.test('a primary whose QEMU lacks the replication driver: the NBD client alone', async t => {
  const qemus = await made(t, forms.drive, ['hda', 'sda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const options = { ...pairOptions(qemus, primary, secondary, 1), driver: 'nbd' as const }
  const pair = await protectPair({ ...options, equal: true })
  const nodes = await primary.qemu.client.run(queryNamedBlockNodes, { flat: true })
  t.notOk(nodes.some(({ driver }) => driver === 'replication'))
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await pair[Symbol.asyncDispose]()
  const events: PairEvent[] = []
  const again = await protectPair({ ...options, onEvent: event => events.push(event) })
  t.match(events, [{ type: 'plan', plan: { kind: 'changes' } }], 'what was missed while nobody listened is unknown')
  await onEach(primary, () => 'write -P 2 64k 64k')
  await again.checkpoint()
  const instances = (await primary.qemu.qmp<{ type: string }[]>('query-yank')).filter(
    ({ type }) => type === 'block-node',
  )
  await primary.qemu.qmpOutOfBand('yank', { instances })
  await onEach(primary, () => 'write -P 9 0 64k')
  await t.rejects(again.checkpoint(), { code: 'degraded' })
  await again[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2, force: 'the primary is dead' })
  await secondary.qemu.quit()
  for (const disk of secondary.disks)
    t.ok(
      contents(disk)
        .subarray(0, 128 * 1024)
        .equals(Buffer.concat([Buffer.alloc(65536, 1), Buffer.alloc(65536, 2)])),
      disk.vdev,
    )
})

t.test("Debian's QEMU for Xen, which has no replication, as a primary", async t => {
  const qemus = await made(t, forms.drive, ['hda', 'sda'], 'raw', { primary: { binary: 'xen-qemu-system-i386' } })
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true })
  t.strictSame(kinds(pair), ['protected'])
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await onEach(primary, () => 'write -P 2 0 64k')
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2 })
  await secondary.qemu.quit()
  for (const disk of secondary.disks) t.ok(contents(disk).subarray(0, 65536).equals(Buffer.alloc(65536, 1)), disk.vdev)
})

t.test('the secondary listens at the address that it was given, and at no other', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const options = pairOptions(qemus, qemus.primary, qemus.secondary, 1)
  const pair = await protectPair({ ...options, equal: true })
  t.equal(await isOpen(options.host, options.port), true)
  t.equal(await isOpen('127.0.0.1', options.port), false)
  await pair.stop()
  t.strictSame(
    await qemus.secondary.qemu.client.run(queryBlockExports),
    [],
    'with nothing behind it when the protection has ended',
  )
})

const isOpen = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ host, port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

t.test('a QEMU before 5.2 on the secondary, which has no block-export-add', async t => {
  const qemus = await made(t, forms.blockdev, ['hda', 'sda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const old = { ...options, secondary: without(options.secondary, /^(block-export-|query-block-exports)/) }
  const pair = await protectPair({ ...old, equal: true })
  t.strictSame(kinds(pair), ['protected'])
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await onEach(primary, () => 'write -P 2 0 64k')
  await pair[Symbol.asyncDispose]()
  await failOver({ secondary: old.secondary, disks, epoch: 2 })
  await onEach(primary, () => 'write -P 3 0 64k')
  const back = { ...pairOptions(qemus, secondary, primary, 3), overlays: qemus.overlays() }
  const again = await protectPair({
    ...back,
    secondary: without(back.secondary, /^(block-export-|query-block-exports)/),
  })
  t.strictSame(kinds(again), ['protected'])
  await again[Symbol.asyncDispose]()
  await secondary.qemu.quit()
  for (const disk of secondary.disks) t.ok(contents(disk).subarray(0, 65536).equals(Buffer.alloc(65536, 1)), disk.vdev)
})

/** A side whose QEMU lacks these commands, as an older one would: no package has one. */
function without(side: Side, names: RegExp): Side {
  const run = (command: QmpCommand, ...rest: unknown[]) =>
    names.test(command.name)
      ? Promise.reject(new QmpError('refused', 'no such command', { errorClass: 'CommandNotFound' }))
      : (side.qmp.run as (...all: unknown[]) => Promise<unknown>)(command, ...rest)
  const qmp = new Proxy(side.qmp, {
    get(target, name) {
      if (name === 'run') return run
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...side, qmp }
}

t.test('who connects to the port and says nothing does not hold up a take-over', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const pair = await protectPair({ ...options, equal: true })
  const strangers = Array.from({ length: 3 }, () => connect({ host: options.host, port: options.port }))
  t.teardown(() => {
    for (const stranger of strangers) stranger.destroy()
  })
  for (const stranger of strangers) stranger.on('error', () => {})
  await new Promise(resolve => setTimeout(resolve, 50))
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2, timeout: 5000 })
  await onEach(secondary, () => 'write -P 1 0 64k')
})

t.test('nor a new protection at the same address', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const pair = await protectPair({ ...options, equal: true })
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.stop()
  const strangers = Array.from({ length: 3 }, () => connect({ host: options.host, port: options.port }))
  t.teardown(() => {
    for (const stranger of strangers) stranger.destroy()
  })
  for (const stranger of strangers) stranger.on('error', () => {})
  await new Promise(resolve => setTimeout(resolve, 50))
  const again = await protectPair({ ...options, epoch: 2 })
  t.strictSame(kinds(again), ['protected'])
  await again.stop()
  for (const stranger of strangers) stranger.destroy()
  const elsewhere = await protectPair({ ...options, port: options.port + 1, epoch: 3 })
  t.strictSame(kinds(elsewhere), ['protected'])
  t.equal(await isOpen(options.host, options.port), false, 'at a new address it is not to be found at the old one')
  await elsewhere[Symbol.asyncDispose]()
})

t.test('on one machine, the port of a primary that was a secondary is taken', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const pair = await protectPair({ ...options, equal: true })
  await pair[Symbol.asyncDispose]()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2 })
  const back = { ...pairOptions(qemus, secondary, primary, 3), port: options.port, overlays: qemus.overlays() }
  await t.rejects(protectPair(back), { code: 'server-in-use', message: /take another port/ })
  const again = await protectPair({ ...back, port: options.port + 1 })
  t.strictSame(kinds(again), ['protected'])
  await again[Symbol.asyncDispose]()
})

t.test('over TLS', async t => {
  const images = await realPart(t, async () => diskImages())
  if (images === undefined) return
  t.teardown(() => images[Symbol.dispose]())
  const directory = join(images.directory, 'tls')
  mkdirSync(directory)
  writeFileSync(join(directory, 'keys.psk'), `xenlight:${'ab'.repeat(32)}\n`, { mode: 0o600 })
  const creds = (endpoint: string) => [
    '-object',
    `tls-creds-psk,id=tls0,dir=${directory},endpoint=${endpoint},username=xenlight`,
  ]
  const settings = {
    primary: { args: creds('client') },
    secondary: { args: ['-object', `tls-creds-psk,id=tls0,dir=${directory},endpoint=server`] },
  }
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw', settings)
  if (qemus === undefined) return
  const { primary, secondary } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const plain = { ...options, tlsCreds: { primary: 'none', secondary: 'tls0' } }
  await t.rejects(protectPair(plain), { name: 'QmpError', code: 'refused' })
  const pair = await protectPair({ ...options, epoch: 2, tlsCreds: { primary: 'tls0', secondary: 'tls0' } })
  t.strictSame(kinds(pair), ['protected'])
  await pair.checkpoint()
  await pair[Symbol.asyncDispose]()
})

t.test("the primary's own disk fails: the secondary alone has what was acknowledged, and is not cut off", async t => {
  const disk = await realPart(t, async () => smallFileSystem(t, 512 * 1024))
  if (disk === undefined) return
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw', { primary: { disk } })
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const heartbeat = { every: 50, timeout: 1000 }
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true, heartbeat })
  await onEach(primary, () => 'write -P 6 0 1M')
  await until(() => !kinds(pair).includes('protected'))
  t.match([...pair.states.values()], [{ kind: 'degraded', why: /own disk fails/ }])
  await pair.checkpoint()
  await t.rejects(pair.reprotect(), { code: 'degraded', message: /own disk fails/ })
  await t.rejects(pair.stop(), { code: 'degraded', message: /own disk fails/ }, 'nor by those who ask for it')
  const options = pairOptions(qemus, primary, secondary, 1)
  const next = await protectPair(options)
  t.match([...next.states.values()], [{ kind: 'degraded', why: /own disk fails/ }], 'who comes next knows it too')
  await next.checkpoint()
  await next[Symbol.asyncDispose]()
  const { disks: found } = await pairStatus({ ...options, disks })
  t.match(found, [{ state: { kind: 'degraded', why: /own disk fails/ }, promotable: { yes: true } }])
  await t.rejects(endProtection(options), { code: 'degraded', message: /own disk fails/ })
  const bitmaps = await dirtyBytes(primary)
  t.match(bitmaps, [{ name: /^colo-1-/, count: 1024 * 1024 }], 'what it misses is still to be copied back')
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2 })
  await secondary.qemu.quit()
  t.ok(contents(secondary.disks[0]!).equals(Buffer.alloc(1024 * 1024, 6)))
})

t.test(
  "the primary's own disk fails before it has a replica: its guest saw it, and nobody else misses anything",
  async t => {
    const disk = await realPart(t, async () => smallFileSystem(t, 640 * 1024))
    if (disk === undefined) return
    const qemus = await made(t, forms.blockdev, ['hda'], 'raw', { primary: { disk } })
    if (qemus === undefined) return
    const { primary, secondary } = qemus
    const options = { ...pairOptions(qemus, primary, secondary, 1), heartbeat: { every: 50, timeout: 1000 } }
    let failing: Promise<unknown> = Promise.resolve()
    const pair = await protectPair({
      ...options,
      speed: 1024 * 1024,
      onEvent: event => {
        if (event.type === 'plan') failing = onEach(primary, () => 'write -P 7 256k 768k').catch(() => {})
      },
    })
    await failing
    t.strictSame(kinds(pair), ['protected'])
    await pair.checkpoint()
    await pair.stop()
  },
)

/** What a side's dirty bitmaps of checkpoints mark. */
const dirtyBytes = async ({ qemu }: QemuSide) =>
  (await qemu.client.run(queryNamedBlockNodes, { flat: true })).flatMap(({ bitmaps }) =>
    bitmaps.filter(({ name }) => !name.endsWith('-next')),
  )

t.test('a full file system below the hidden overlay: told before, and no checkpoint after', async t => {
  const hidden = await realPart(t, async () => smallFileSystem(t, 640 * 1024))
  if (hidden === undefined) return
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw', { secondary: { hidden } })
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  const events: PairEvent[] = []
  const pair = await protectPair({
    ...pairOptions(qemus, primary, secondary, 1),
    heartbeat: { every: 50, timeout: 1000 },
    freeSpace: localFreeSpace,
    onEvent: event => events.push(event),
  })
  await onEach(primary, () => 'write -P 1 0 1M')
  await pair.checkpoint()
  for (let at = 0; at < 5; at++) {
    await onEach(primary, () => `write -P 2 ${at * 64}k 64k`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  t.match(
    events.find(({ type }) => type === 'filling'),
    { disk: 'colo-hda', fill: { overlay: 'hidden' } },
  )
  await onEach(primary, () => 'write -P 3 0 1M')
  await t.rejects(pair.checkpoint(), { code: 'degraded' })
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: side(qemus, secondary), disks, epoch: 2, force: 'the primary is dead' })
  await secondary.qemu.quit()
  t.ok(contents(secondary.disks[0]!).equals(Buffer.alloc(1024 * 1024, 1)), 'the last checkpoint is there')
})

t.test('what cannot be protected is left as it was', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary } = qemus
  const options = pairOptions(qemus, primary, secondary, 1)
  const before = await pairStatus(options)
  t.match(before.disks, [{ state: { kind: 'unprotected' } }])
  await t.rejects(protectPair({ ...options, disks: ['none'] }), { code: 'not-a-colo-disk' })
  const swapped = { primary: options.secondary, secondary: options.primary }
  await t.rejects(protectPair({ ...options, ...swapped }), { name: 'ColoError' }, 'the sides are mixed up')

  const port = createServer()
  await new Promise<void>(resolve => port.listen(options.port, options.host, resolve))
  await t.rejects(
    protectPair(options),
    { name: 'QmpError', code: 'refused', command: 'nbd-server-start' },
    'port taken',
  )
  await new Promise(resolve => port.close(resolve))

  await primary.qemu.client.run(blockdevAdd, { driver: 'null-co', 'node-name': 'elsewhere', size: 1024 * 1024 })
  await primary.qemu.client.run(blockdevMirror, {
    'job-id': 'backup',
    device: 'colo-hda',
    target: 'elsewhere',
    sync: 'full',
  })
  await t.rejects(protectPair(options), { code: 'wrong-state', message: /job/ }, "somebody's block job")
  await primary.qemu.qmp('block-job-cancel', { device: 'backup' })
  await until(() => primary.qemu.events.some(({ name }) => name === 'BLOCK_JOB_COMPLETED'))

  const pair = await protectPair({ ...options, epoch: 2 })
  t.strictSame(kinds(pair), ['protected'], 'and can be protected afterwards')
  await pair.stop()
})

t.test('sizes that differ, and a snapshot on a protected disk', async t => {
  const qemus = await made(t, forms.blockdev, ['hda'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary } = qemus
  await secondary.qemu.quit()
  execFileSync('qemu-img', ['resize', '-q', '-f', 'raw', secondary.disks[0]!.pdevPath!, '2M'])
  const larger = await qemus.restart(secondary, 'secondary')
  await t.rejects(protectPair(pairOptions(qemus, primary, larger, 1)), { code: 'size-differs', disk: 'colo-hda' })
  await larger.qemu.quit()
  execFileSync('qemu-img', ['resize', '-q', '--shrink', '-f', 'raw', secondary.disks[0]!.pdevPath!, '1M'])
  const equal = await qemus.restart(secondary, 'secondary')
  const heartbeat = { every: 50, timeout: 1000 }
  const pair = await protectPair({ ...pairOptions(qemus, primary, equal, 1), heartbeat })
  const overlay = {
    driver: 'qcow2',
    'node-name': 'snapshot',
    file: { driver: 'file', filename: primary.disks[0]!.activeDisk },
  }
  await primary.qemu.client.run(blockdevAdd, { ...overlay, backing: null })
  await primary.qemu.qmp('blockdev-snapshot', { node: 'colo-hda', overlay: 'snapshot' })
  await until(() => !kinds(pair).includes('protected'))
  t.match([...pair.states.values()], [{ kind: 'degraded' }], 'what its guest writes goes elsewhere')
  await pair[Symbol.asyncDispose]()
})

t.test('a protected disk that is resized, or taken from its guest', async t => {
  const qemus = await made(t, forms.blockdev, ['sda', 'sdb'], 'raw')
  if (qemus === undefined) return
  const { primary, secondary } = qemus
  const heartbeat = { every: 50, timeout: 1000 }
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true, heartbeat })
  const stateOf = (disk: string) => pair.states.get(disk)
  const resize = primary.qemu.qmp('block_resize', { 'node-name': 'scsi0-hd0', size: 2 * 1024 * 1024 })
  await t.rejects(resize, { name: 'QmpError' }, 'QEMU refuses the one')
  t.match(stateOf('colo-sda'), { kind: 'protected' })
  await primary.qemu.qmp('device_del', { id: 'scsi-2064' })
  await until(() => stateOf('colo-sdb')?.kind !== 'protected')
  t.match(stateOf('colo-sdb'), { kind: 'degraded', why: /no device of the guest's/ })
  await t.rejects(pair.checkpoint(), { code: 'degraded' })
  await pair[Symbol.asyncDispose]()
})
