import t, { type Test } from 'tap'
import { type ColoPair, failOver, type PairEvent, pairStatus, protectPair } from 'xenlight/colo'
import { blockdevChange, cont, queryStatus, xenSetReplication } from 'xenlight/qmp'
import { type Form, forms } from '../dm-args/real-qemu/forms.js'
import { realPart } from '../support/real-part.js'
import { contents, type ImageFormat, onEach, pairOptions, type QemuPair, type QemuSide, qemuPair } from './colo-pair.js'

const kib = 1024
const sets: [vdevs: string[], format: ImageFormat][] = [
  [['hda'], 'raw'],
  [['sda', 'hdb'], 'qcow2'],
  [['hda', 'hdb', 'sda'], 'raw'],
  [['hda', 'hdb', 'sda', 'sdb'], 'qcow2'],
]

interface Protected {
  qemus: QemuPair
  pair: ColoPair
  events: PairEvent[]
}

/** QEMUs whose disks are protected from the beginning, as they are equal. */
async function protectedQemus(
  t: Test,
  form: Form,
  vdevs: string[],
  format: ImageFormat,
  options: object = {},
): Promise<Protected | undefined> {
  const qemus = await realPart(t, () => qemuPair(t, form, vdevs, format))
  if (qemus === undefined) return undefined
  const events: PairEvent[] = []
  const { primary, secondary } = qemus
  const onEvent = (event: PairEvent) => events.push(event)
  const pair = await protectPair({ ...pairOptions(qemus, primary, secondary, 1), equal: true, onEvent, ...options })
  t.teardown(() => pair[Symbol.asyncDispose]())
  return { qemus, pair, events }
}

const kinds = ({ states }: ColoPair) => [...new Set([...states.values()].map(({ kind }) => kind))]

const secondaryOf = ({ records }: QemuPair, { qemu }: QemuSide) => ({ qmp: qemu.client, records })

/** Waits until it is so. */
async function until(what: () => boolean, milliseconds = 10_000): Promise<void> {
  for (const end = performance.now() + milliseconds; !what() && performance.now() < end; )
    await new Promise(resolve => setTimeout(resolve, 20))
}

/** The disk's bytes, in fills of 64 KiB by their place. */
const image = (fills: Record<number, number>): Buffer => {
  const disk = Buffer.alloc(1024 * kib)
  for (const [at, byte] of Object.entries(fills)) disk.fill(byte, Number(at) * 64 * kib, (Number(at) + 1) * 64 * kib)
  return disk
}

for (const [name, form] of Object.entries(forms))
  for (const [vdevs, format] of sets)
    for (const old of ['killed', 'alive'] as const)
      t.test(`${name}, ${vdevs.join(' ')} (${format}), the old primary is ${old}: over and back`, async t => {
        const made = await protectedQemus(t, form, vdevs, format)
        if (made === undefined) return
        const { qemus, pair } = made
        const { primary, secondary, names: disks } = qemus
        t.strictSame(kinds(pair), ['protected'])
        await onEach(primary, index => `write -P ${10 + index} 0 64k`)
        await pair.checkpoint()
        await onEach(primary, () => 'write -P 99 0 128k')
        await onEach(secondary, index => `write -P ${20 + index} 128k 64k`)
        await pair[Symbol.asyncDispose]()
        if (old === 'killed') await primary.qemu.stop()

        await failOver({ secondary: secondaryOf(qemus, secondary), disks, epoch: 2 })
        await failOver({ secondary: secondaryOf(qemus, secondary), disks, epoch: 2 })
        await secondary.qemu.client.run(cont)
        await onEach(secondary, index => `write -P ${30 + index} 192k 64k`)
        if (old === 'alive') await onEach(primary, () => 'write -P 98 512k 64k')

        const follower = old === 'killed' ? await qemus.restart(primary, 'secondary') : primary
        const events: PairEvent[] = []
        const back = await protectPair({
          ...pairOptions(qemus, secondary, follower, 3),
          ...(old === 'alive' && { overlays: qemus.overlays() }),
          onEvent: event => events.push(event),
        })
        t.teardown(() => back[Symbol.asyncDispose]())
        t.strictSame(kinds(back), ['protected'])
        t.match(await secondary.qemu.client.run(queryStatus), { running: true }, 'the guest runs on')
        const plans = events.flatMap(event => (event.type === 'plan' ? [event.plan.kind] : []))
        t.strictSame(
          plans,
          Array(disks.length).fill(old === 'killed' ? 'full' : 'changes'),
          'only what is known to differ',
        )
        await onEach(secondary, index => `write -P ${40 + index} 256k 64k`)
        await back.checkpoint()
        await onEach(secondary, () => 'write -P 97 0 512k')
        await back[Symbol.asyncDispose]()
        await secondary.qemu.stop()
        await failOver({ secondary: secondaryOf(qemus, follower), disks, epoch: 4 })
        await follower.qemu.quit()
        for (const [index, disk] of follower.disks.entries()) {
          const wanted = image({ 0: 10 + index, 2: 20 + index, 3: 30 + index, 4: 40 + index })
          t.ok(contents(disk).equals(wanted), `${disk.vdev} is as at the last checkpoint`)
        }
      })

t.test('a link that is cut: degraded, outdated, and only what changed is copied again', async t => {
  const made = await protectedQemus(t, forms.blockdev, ['hda', 'hdb'], 'raw')
  if (made === undefined) return
  const { qemus, pair, events } = made
  const { primary, secondary } = qemus
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await primary.qemu.client.executeOutOfBand('yank', {
    instances: (await primary.qemu.qmp<{ 'node-name': string }[]>('query-yank')).filter(
      one => one['node-name'] !== undefined,
    ),
  })
  await onEach(primary, () => 'write -P 2 64k 64k')
  await until(() => kinds(pair).includes('outdated'))
  t.strictSame(kinds(pair), ['outdated'])
  await t.rejects(pair.checkpoint(), { name: 'ColoError', code: 'degraded' })
  await onEach(primary, () => 'write -P 3 128k 64k')
  const refused = failOver({ secondary: secondaryOf(qemus, secondary), disks: qemus.names, epoch: 2 })
  await t.rejects(refused, { code: 'not-promotable' }, 'what the primary acknowledged since is not there')

  events.length = 0
  await pair.reprotect()
  t.strictSame(kinds(pair), ['protected'])
  const [plan] = events.flatMap(event => (event.type === 'plan' ? [event.plan] : []))
  t.match(plan, { kind: 'changes', since: 1, also: 'nothing' })
  await pair.checkpoint()
  await pair[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: secondaryOf(qemus, secondary), disks: qemus.names, epoch: 2 })
  await secondary.qemu.quit()
  for (const disk of secondary.disks) t.ok(contents(disk).equals(image({ 0: 1, 1: 2, 2: 3 })), disk.vdev)
})

t.test('a secondary that is frozen is cut off; the guest goes on', async t => {
  const made = await protectedQemus(t, forms.drive, ['hda'], 'raw', {
    heartbeat: { every: 50, timeout: 200 },
    timeout: 300,
  })
  if (made === undefined) return
  const { qemus, pair } = made
  process.kill(qemus.secondary.qemu.pid, 'SIGSTOP')
  t.teardown(() => process.kill(qemus.secondary.qemu.pid, 'SIGCONT'))
  await onEach(qemus.primary, () => 'write -P 5 0 64k')
  await until(() => kinds(pair).some(kind => kind !== 'protected'))
  t.strictSame(kinds(pair), ['degraded'])
  t.match([...pair.states.values()], [{ why: /does not answer|fell silent/ }])
})

t.test('success is not believed', async t => {
  const qemus = await realPart(t, () => qemuPair(t, forms.blockdev, ['hda'], 'raw'))
  if (qemus === undefined) return
  const { primary, secondary, names: disks } = qemus
  await primary.qemu.client.run(xenSetReplication, { enable: true, primary: true })
  const { disks: seen } = await pairStatus({
    primary: secondaryOf(qemus, primary),
    secondary: secondaryOf(qemus, secondary),
    disks,
  })
  t.match(seen, [{ state: { kind: 'unprotected' }, promotable: { yes: false } }])
})

t.test('who takes the replica away is seen', async t => {
  const made = await protectedQemus(t, forms.blockdev, ['hda'], 'raw', { heartbeat: { every: 50, timeout: 1000 } })
  if (made === undefined) return
  const { qemus, pair } = made
  await qemus.primary.qemu.client.run(blockdevChange, { parent: 'colo-hda', child: 'children.1' })
  await until(() => !kinds(pair).includes('protected'))
  t.notSame(kinds(pair), ['protected'])
})

t.test('a pair that is kept is protected again by itself, and says so', async t => {
  const made = await protectedQemus(t, forms.blockdev, ['hda', 'sda'], 'raw', {
    heartbeat: { every: 50, timeout: 1000 },
  })
  if (made === undefined) return
  const { qemus, pair } = made
  const { primary, secondary } = qemus
  using events = pair.events()
  const heard: PairEvent[] = []
  const hearing = (async () => {
    for await (const event of events) heard.push(event)
  })()
  const over = new AbortController()
  const keeping = pair.keep({ every: 20, signal: over.signal })
  const checkpoints = () => heard.filter(({ type }) => type === 'checkpoint').length
  await until(() => checkpoints() >= 3)
  const instances = (await primary.qemu.qmp<{ type: string }[]>('query-yank')).filter(
    ({ type }) => type === 'block-node',
  )
  await primary.qemu.qmpOutOfBand('yank', { instances })
  await onEach(primary, () => 'write -P 4 0 64k')
  // a checkpoint that fails is tried again; where the watch is first, the disks are just protected again
  await until(() => heard.some(({ type }) => type === 'plan'))
  const before = checkpoints()
  await until(() => checkpoints() >= before + 3)
  t.match(
    heard.find(({ type }) => type === 'plan'),
    { plan: { kind: 'changes', since: 1 } },
  )
  t.ok(checkpoints() >= before + 3, 'checkpoints go on')
  t.strictSame(kinds(pair), ['protected'])
  over.abort()
  await keeping
  await pair[Symbol.asyncDispose]()
  await hearing
  await primary.qemu.stop()
  await failOver({ secondary: secondaryOf(qemus, secondary), disks: qemus.names, epoch: 2 })
  await secondary.qemu.quit()
  for (const disk of secondary.disks) t.ok(contents(disk).equals(image({ 0: 4 })), disk.vdev)
})

t.test("a toolstack's own way to have the guest stand still", async t => {
  const calls: string[] = []
  const guest = {
    stop: async () => void calls.push('stop'),
    resume: async () => void calls.push('resume'),
  }
  const made = await protectedQemus(t, forms.blockdev, ['hda'], 'raw', { guest })
  if (made === undefined) return
  t.strictSame(calls, ['stop', 'resume'], 'for the switch')
  await made.pair.checkpoint()
  t.strictSame(calls, ['stop', 'resume', 'stop', 'resume'], 'and for a checkpoint')
  await made.qemus.secondary.qemu.stop()
  await t.rejects(made.pair.checkpoint())
  t.equal(calls.at(-1), 'resume', 'also where it fails')
})

t.test('an epoch that was used for two secondaries makes no checkpoint of the one that of the other', async t => {
  const made = await protectedQemus(t, forms.blockdev, ['hda'], 'raw')
  if (made === undefined) return
  const { qemus, pair } = made
  const { primary, secondary, names: disks } = qemus
  await onEach(primary, () => 'write -P 1 0 64k')
  await pair.checkpoint()
  await pair.stop()
  await onEach(primary, () => 'write -P 2 64k 64k')
  const other = await qemuPair(t, forms.blockdev, ['hda'], 'raw')
  const second = await protectPair({ ...pairOptions(qemus, primary, other.secondary, 1), host: other.host })
  await onEach(primary, () => 'write -P 3 128k 64k')
  await second.checkpoint()
  await second.stop()
  const plans: PairEvent[] = []
  const onEvent = (event: PairEvent) => event.type === 'plan' && plans.push(event)
  const third = await protectPair({ ...pairOptions(qemus, primary, secondary, 2), onEvent })
  t.match(plans, [{ plan: { kind: 'full' } }])
  await third.checkpoint()
  await third[Symbol.asyncDispose]()
  await primary.qemu.stop()
  await failOver({ secondary: secondaryOf(qemus, secondary), disks, epoch: 3 })
  await secondary.qemu.quit()
  t.ok(contents(secondary.disks[0]!).equals(image({ 0: 1, 1: 2, 2: 3 })), 'nothing that the other one had is missing')
})
