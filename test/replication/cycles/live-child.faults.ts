import type { Test } from 'tap'
import { stop } from 'xenlight/qmp'
import type { LiveEvent, LiveOutcome } from '#xenlight/replication/cycles/live-outcome.js'
import { writesIn } from '../../guest/numbered-disks.js'
import { eventually } from '../../protocol-d/eventually.js'
import { boot, twoDisks } from './boot.js'
import { type CycleGuest, mebibyte } from './cycle-guest.js'
import { namesLeft, onGuest } from './on-guest.js'
import { hold } from './staged-target.js'
import { StreamedTarget } from './streamed-target.js'

function live(outcome: LiveOutcome): LiveOutcome & { kind: 'live' } {
  if (outcome.kind !== 'live') throw new Error(JSON.stringify(outcome))
  return outcome
}

/** The replicas are as the disks, once the hub has all. */
async function isEqual(t: Test, guest: CycleGuest, target: StreamedTarget, what: string): Promise<void> {
  await target.durable()
  for (const [index, volume] of guest.volumes.entries())
    t.ok(target.contents(volume).equals(await guest.contents(index)), `${what}: ${volume} is equal`)
}

const targetFor = ({ volumes, size }: CycleGuest) => new StreamedTarget(volumes, size)

for (const format of ['qcow2', 'raw'] as const)
  onGuest(`a live child of two ${format} quorums`, { disks: 2, format, quorum: true }, async (t, guest) => {
    const target = targetFor(guest)
    await guest.io(0, 'write -P 1 1M 1M')
    const { child, qmp } = await guest.liveAgent(target)
    const first = live(await child.catchUp())
    t.match(first, { held: 1, whole: [{ reason: 'new' }, { reason: 'new' }], left: [] })
    t.equal(child.state, 'live')
    await isEqual(t, guest, target, 'caught up')
    target.log.length = 0
    await guest.io(0, 'write -P 2 512 1k')
    await guest.io(1, 'write -P 3 3M 4k')
    await guest.io(0, 'write -z 1M 64k')
    await guest.io(0, 'write -f -P 4 512 512')
    t.match(
      target.log,
      [
        { from: 'live', volume: 'disk0', offset: 512, length: 1024 },
        { volume: 'disk1', offset: 3 * mebibyte, length: 4096 },
        { volume: 'disk0', offset: mebibyte, length: 65_536 },
        { volume: 'disk0', offset: 512, length: 512 },
      ],
      'in order, as they are',
    )
    t.ok(target.flushes > 0, 'flushes come too')
    await isEqual(t, guest, target, 'live')
    t.match(live(await child.rotate()), { held: 2, left: [] })
    t.match(
      (await namesLeft(guest)).filter(name => name.startsWith('xenlight')),
      ['xenlight:guest:r1:2', 'xenlight:guest:r1:2'],
    )
    // another job beside it
    await qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': 'sink', size: guest.size })
    await qmp.execute('blockdev-backup', { 'job-id': 'nightly', device: 'disk0', target: 'sink', sync: 'full' })
    await guest.io(0, 'write -P 5 2M 64k')
    await isEqual(t, guest, target, 'beside a job')
    t.same(await child.detach(), [])
    await eventually('the job has ended', async () => (await namesLeft(guest)).length === 0)
    t.equal(child.state, 'apart')
    await guest.io(0, 'write -P 6 2M 64k')
  })

onGuest('it is lost, and catches up by the bitmap: only what is not at the hub', { quorum: true }, async (t, guest) => {
  const target = targetFor(guest)
  const { child } = await guest.liveAgent(target)
  live(await child.catchUp())
  await guest.io(0, 'write -P 1 0 1M')
  live(await child.rotate())
  await guest.io(0, 'write -P 2 2M 64k')
  target.faults.onWrite = () => {
    throw new Error('no')
  }
  await guest.io(0, 'write -P 3 3M 64k')
  await eventually('it is seen', () => child.state === 'apart')
  t.match(target.calls.at(-1), /lost the target: write of .* failed/)
  target.faults = {}
  await guest.io(0, 'write -P 4 0 512')
  await guest.io(0, 'read -P 3 3M 64k')
  const again = live(await child.catchUp())
  t.match(again, { whole: [], bytes: 3 * 65_536 })
  await isEqual(t, guest, target, 'after the loss')
  t.notMatch(guest.qemu.printed(), /fail|error/i, 'no write of the guest failed')
})

for (const when of ['live', 'the backfill'] as const)
  onGuest(`a frozen target in ${when}: the guest goes on at the deadline`, { quorum: true }, async (t, guest) => {
    const target = targetFor(guest)
    const limit = 300
    const cuts: string[] = []
    const onEvent = (event: LiveEvent) => {
      if (event.type === 'cut') cuts.push(event.why)
    }
    const { child } = await guest.liveAgent(target, { stallLimit: limit, onEvent })
    const frozen = hold()
    await guest.io(0, 'write -P 1 0 4M')
    if (when === 'live') live(await child.catchUp())
    let wait: Promise<number> | undefined
    const measured = async () => {
      const start = performance.now()
      await guest.io(0, 'write -P 2 3M 64k')
      return performance.now() - start
    }
    target.faults.onWrite = from => {
      if (from === 'backfill') wait ??= measured()
      return frozen.waits
    }
    if (when === 'live') wait = measured()
    else
      t.match(await child.catchUp(), {
        kind: 'failed',
        step: 'backfill',
        why: /did not answer within 300 ms/,
        left: [],
      })
    const waited = await wait!
    t.comment(`with a limit of ${limit} ms the write took ${Math.round(waited)} ms`)
    t.ok(waited < 10 * limit)
    await eventually('it is seen', () => child.state === 'apart')
    t.match(target.calls.at(-1), /lost the target did not answer/)
    t.match(cuts, [/did not answer within 300 ms/])
    t.equal(cuts.length, 1)
    target.faults = {}
    frozen.release()
    await guest.io(0, 'read -P 2 3M 64k')
    live(await child.catchUp())
    await isEqual(t, guest, target, 'after the freeze')
    t.notMatch(guest.qemu.printed(), /fail|error/i, 'no write of the guest failed')
  })

onGuest('the hub does not take what came: the older bitmap stays', { quorum: true }, async (t, guest) => {
  const target = targetFor(guest)
  const { child } = await guest.liveAgent(target)
  live(await child.catchUp())
  await guest.io(0, 'write -P 1 0 64k')
  target.faults.onDurable = () => {
    throw new Error('the hub has gone')
  }
  t.match(await child.rotate(), { kind: 'failed', step: 'hub', left: [] })
  t.equal(child.held, 1)
  t.same(
    (await namesLeft(guest)).filter(name => name.startsWith('xenlight')),
    ['xenlight:guest:r1:1'],
  )
  target.faults = {}
  t.match(live(await child.rotate()), { held: 3 })
  await isEqual(t, guest, target, 'in the end')
})

for (const isLive of [true, false])
  onGuest(
    `the agent dies ${isLive ? 'when it is live' : 'in the backfill'}`,
    { disks: 2, quorum: true },
    async (t, guest) => {
      const target = targetFor(guest)
      const one = await guest.liveAgent(target)
      await guest.io(0, 'write -P 1 0 1M')
      live(await one.child.catchUp())
      live(await one.child.rotate())
      if (isLive) {
        await guest.io(1, 'write -P 2 0 64k')
        await one.die()
      } else {
        target.faults.onWrite = () => {
          throw new Error('no')
        }
        await guest.io(1, 'write -P 2 0 64k')
        await eventually('it is seen', () => one.child.state === 'apart')
        const dying = hold()
        let death: Promise<void> | undefined
        target.faults.onWrite = from => {
          if (from === 'live') return undefined
          death ??= one.die()
          return dying.waits
        }
        t.match(await one.child.catchUp(), { kind: 'failed' })
        dying.release()
        await death
        target.faults = {}
      }
      target.lost('it died')
      await guest.io(0, 'write -P 3 1M 64k')
      const two = await guest.liveAgent(target)
      t.match(live(await two.child.catchUp()), { whole: [], bytes: 2 * 65_536 })
      await isEqual(t, guest, target, 'after the death')
      t.same(await two.child.detach(), [])
      t.same(await namesLeft(guest), [])
    },
  )

onGuest('somebody else removes the child', { quorum: true }, async (t, guest) => {
  const target = targetFor(guest)
  const { child } = await guest.liveAgent(target)
  live(await child.catchUp())
  await guest.qemu.qmp('x-blockdev-change', { parent: 'disk0', child: 'children.1' })
  await guest.io(0, 'write -P 1 0 64k')
  t.match(await child.rotate(), { kind: 'failed', why: /rebuilt by somebody else/ })
  await eventually('it is told', () => child.state === 'apart')
  live(await child.catchUp())
  await isEqual(t, guest, target, 'again')
})

onGuest('it is ended in the middle of a catch-up', { quorum: true }, async (t, guest) => {
  const target = targetFor(guest)
  const { child } = await guest.liveAgent(target)
  await guest.io(0, 'write -P 1 0 1M')
  const [begun, frozen] = [hold(), hold()]
  target.faults.onWrite = () => {
    begun.release()
    return frozen.waits
  }
  const catchUp = child.catchUp()
  await begun.waits
  const detached = child.detach()
  t.match(await catchUp, { kind: 'failed', step: 'backfill', why: /taken away/ })
  t.same(await detached, [])
  t.same(await namesLeft(guest), [])
  t.match(target.calls, ['unsettled', /lost the protection was taken away/])
  frozen.release()
})

onGuest('a disk that is no quorum', {}, async (t, guest) => {
  await t.rejects(guest.liveAgent(targetFor(guest)), {
    name: 'ReplicationError',
    code: 'wrong-state',
    message: /use cycles/,
  })
})

onGuest(
  'a guest that writes by turns: its writes come in order, and a catch-up beside them loses none',
  { disks: 2, size: mebibyte, quorum: true, args: ['-debugcon', 'stdio'] },
  async (t, guest) => {
    const target = targetFor(guest)
    const { child } = await guest.liveAgent(target)
    await boot(t, guest)
    for (let count = 0; count < 10; count++) {
      // slow, so that the guest writes where the backfill is not yet
      target.faults.onWrite = from => (from === 'backfill' ? new Promise(resolve => setTimeout(resolve, 2)) : undefined)
      live(await child.catchUp())
      const from = target.log.length
      await isPrefix(target)
      const before = target.log.length
      await eventually('the guest goes on', () => target.log.length > before + 20)
      live(await child.rotate())
      await isPrefix(target)
      isInOrder(target, from)
      target.faults.onWrite = () => {
        throw new Error('no')
      }
      await eventually('it is lost', () => child.state === 'apart')
    }
    target.faults = {}
    live(await child.catchUp())
    await guest.qemu.client.run(stop)
    await isEqual(t, guest, target, 'in the end')
    t.comment(`${target.log.length} writes came`)
  },
)

/** The replica is as the disks were at one moment. */
async function isPrefix(target: StreamedTarget): Promise<void> {
  await target.durable()
  writesIn(twoDisks, [target.contents('disk0'), target.contents('disk1')])
}

/** The guest's writes of a while: to each sector of the first disk, and then to that of the second. */
function isInOrder({ log }: StreamedTarget, from: number): void {
  const live = log.slice(from).filter(({ from }) => from === 'live')
  for (const [index, { volume, offset, length }] of live.entries()) {
    const before = live[index - 1]
    if (before === undefined) continue
    const isNext =
      volume === 'disk1'
        ? before.volume === 'disk0' && before.offset === offset
        : before.volume === 'disk1' && offset === 512 * next(before.offset / 512)
    if (!isNext || length !== 512) throw new Error(`${JSON.stringify(before)} before ${volume} ${offset}`)
  }
}

const next = (sector: number): number => 1 + (sector % twoDisks.sectors)
