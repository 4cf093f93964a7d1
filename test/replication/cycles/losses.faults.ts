import { setTimeout as delay } from 'node:timers/promises'
import { failed, isEqual, namesLeft, onGuest, settled } from './on-guest.js'
import { hold } from './staged-target.js'

const bitmaps = (...numbers: number[]) => numbers.map(number => `xenlight:guest:r1:${number}`)

for (const leavesHalf of [false, true])
  onGuest(
    `a target that fails in the middle, ${leavesHalf ? 'with half of it at the hub' : 'and drops all'}`,
    {},
    async (t, guest) => {
      const { runner } = await guest.agent()
      const { target } = guest
      target.faults = { leavesHalf }
      settled(await runner.cycle())
      for (let at = 0; at < 16; at += 2) await guest.io(0, `write -P 1 ${at * 64}k 64k`)
      target.faults.onWrite = (_, count) => {
        if (count === 3) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
      }
      t.match(failed(await runner.cycle()), {
        cycle: 2,
        step: 'copy',
        why: /the target: write of .* failed \(No space left/,
        left: [],
      })
      t.same(await namesLeft(guest), bitmaps(1), 'the bitmap of the last durable cycle stays')
      t.match(target.calls, ['begin 1', 'complete', 'begin 2', /abort the target/])
      await guest.io(0, 'write -P 2 1M 64k')
      target.faults = { leavesHalf }
      const outcome = settled(await runner.cycle())
      t.match(outcome, { cycle: 3, held: 3, bytes: 9 * 65_536, whole: [] }, 'only what changed is sent')
      await isEqual(t, guest, 'after the loss')
      t.same(await namesLeft(guest).then(names => names.filter(name => name.startsWith('xenlight'))), bitmaps(3))
    },
  )

onGuest('the target fails in the first cycle: all is sent again', {}, async (t, guest) => {
  const { runner } = await guest.agent()
  await guest.io(0, 'write -P 1 0 1M')
  guest.target.faults.onWrite = (_, count) => {
    if (count === 2) throw new Error('no')
  }
  t.match(failed(await runner.cycle()), { step: 'copy', left: [] })
  t.same(await namesLeft(guest), bitmaps(0), 'the mark stays')
  guest.target.faults = {}
  t.match(settled(await runner.cycle()), { cycle: 2, whole: [{ reason: 'unfinished' }] })
  await isEqual(t, guest, 'after the loss')
})

onGuest('the hub loses a cycle that QEMU has done', { disks: 2 }, async (t, guest) => {
  const { runner } = await guest.agent()
  settled(await runner.cycle())
  await guest.io(0, 'write -P 1 0 256k')
  guest.target.faults.onComplete = () => {
    throw new Error('the hub has gone')
  }
  t.match(failed(await runner.cycle()), { step: 'hub', why: 'the hub has gone', left: [] })
  await guest.io(1, 'write -P 2 0 64k')
  t.match(failed(await runner.cycle()), { step: 'hub' }, 'and again')
  guest.target.faults = {}
  t.match(settled(await runner.cycle()), { cycle: 4, bytes: 5 * 65_536 }, 'what was lost is sent')
  await isEqual(t, guest, 'after the losses')
})

for (const isWhole of [false, true])
  onGuest(
    `a frozen target: the guest waits until the deadline, and no longer${isWhole ? ', in the first cycle' : ''}`,
    {},
    async (t, guest) => {
      const limit = 400
      // of a whole disk, a single request is limited
      const { runner } = await guest.agent({ limit: isWhole ? 50 : limit, stallLimit: isWhole ? limit : 100_000 })
      if (!isWhole) settled(await runner.cycle())
      await guest.io(0, 'write -P 1 0 4M')
      let wait: Promise<number> | undefined
      const frozen = hold()
      guest.target.faults.onWrite = () => {
        wait ??= (async () => {
          const start = performance.now()
          await guest.io(0, 'write -P 2 3M 64k')
          return performance.now() - start
        })()
        return frozen.waits
      }
      const outcome = failed(await runner.cycle())
      t.match(outcome, {
        step: 'copy',
        why: isWhole ? /did not answer within 400 ms/ : /not done within 400 ms/,
        left: [],
      })
      t.equal(guest.events.filter(({ type }) => type === 'cut').length, 1, 'it is told that it was cut off, once')
      const waited = await wait!
      t.comment(`with a limit of ${limit} ms the write took ${Math.round(waited)} ms`)
      t.ok(waited < 10 * limit, `${waited} ms`)
      guest.target.faults = {}
      await guest.io(0, 'read -P 2 3M 64k')
      // what was frozen comes late, and must not count
      frozen.release()
      t.match(settled(await runner.cycle()), { bytes: 4 * 1024 * 1024 })
      await isEqual(t, guest, 'after the freeze')
      t.notMatch(guest.qemu.printed(), /fail|error/i, 'no write of the guest failed')
    },
  )

const steps = {
  'while it is copied': 'onWrite',
  'while the hub takes it': 'onComplete',
} as const

for (const [when, step] of Object.entries(steps))
  for (const isFirst of [true, false])
    onGuest(`the agent dies ${when}${isFirst ? ', in the first cycle' : ''}`, { disks: 2 }, async (t, guest) => {
      const one = await guest.agent()
      if (!isFirst) settled(await one.runner.cycle())
      await guest.io(0, 'write -P 1 0 1M')
      await guest.io(1, 'write -P 1 1M 1M')
      let death: Promise<void> | undefined
      const dying = hold()
      guest.target.faults = {
        leavesHalf: true,
        [step]: () => {
          death ??= one.die()
          return dying.waits
        },
      }
      const outcome = failed(await one.runner.cycle())
      t.ok(outcome.left.length > 0, `it says what it had to leave: ${outcome.left.join('; ')}`)
      dying.release()
      await death
      guest.target.faults = {}
      await guest.io(0, 'write -P 2 512k 64k')
      await delay(20)
      const two = await guest.agent()
      const again = settled(await two.runner.cycle())
      if (isFirst) t.match(again.whole, [{ reason: 'unfinished' }, { reason: 'unfinished' }])
      else t.match(again, { whole: [], bytes: 2 * 1024 * 1024 })
      await isEqual(t, guest, 'after the death')
      t.same(await two.runner.detach(), [])
      t.same(await namesLeft(guest), [])
    })

onGuest('the agent dies when the hub has the cycle, before it removes the bitmaps', {}, async (t, guest) => {
  for (const knows of [true, false]) {
    const one = await guest.agent()
    settled(await one.runner.cycle())
    await guest.io(0, 'write -P 1 0 1M')
    guest.target.faults.onComplete = () => one.qmp.close()
    const outcome = settled(await one.runner.cycle())
    t.match(outcome.left, [/bitmaps that are not needed/])
    await one.die()
    guest.target.faults = {}
    await guest.io(0, 'write -P 2 2M 64k')
    const two = await guest.agent(knows ? { held: outcome.held } : {})
    t.match(settled(await two.runner.cycle()), { whole: [], bytes: (knows ? 1 : 17) * 65_536 })
    await isEqual(t, guest, 'after the death')
    await two.runner.detach()
    await two.die()
  }
})
