import { failed, isEqual, namesLeft, onGuest, settled } from './on-guest.js'
import { StreamedTarget } from './streamed-target.js'

/** Which cycles there are bitmaps of, in order. */
const cyclesOf = (names: readonly string[]) =>
  names
    .flatMap(name => /^xenlight:.*:(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other)

onGuest('a cycle is kept before the bitmaps are removed that it makes needless', { disks: 2 }, async (t, guest) => {
  const kept: { held: number; bitmaps: number[] }[] = []
  let fails = false
  const keep = async (held: number) => {
    kept.push({ held, bitmaps: cyclesOf(await namesLeft(guest)) })
    if (fails) throw new Error('the disk is full')
  }
  const { runner } = await guest.agent({ keep })
  settled(await runner.cycle())
  await guest.io(0, 'write -P 1 0 64k')
  settled(await runner.cycle())
  t.strictSame(kept, [
    { held: 1, bitmaps: [0, 0, 1, 1] },
    { held: 2, bitmaps: [1, 1, 2, 2] },
  ])
  settled(await runner.cycle())
  t.match(kept[2], { held: 2 }, 'an idle cycle begins no bitmap')
  fails = true
  await guest.io(0, 'write -P 2 0 64k')
  t.match(failed(await runner.cycle()), { step: 'hub', why: 'the disk is full', left: [] })
  t.equal(runner.held, 2)
  t.strictSame(cyclesOf(await namesLeft(guest)), [2, 2])
  fails = false
  settled(await runner.cycle())
  await isEqual(t, guest, 'in the end')
})

onGuest('so it is with a live child', { quorum: true }, async (t, guest) => {
  const target = new StreamedTarget(guest.volumes, guest.size)
  const kept: { held: number; bitmaps: number[]; isDurable: boolean }[] = []
  let durable = 0
  target.faults.onDurable = () => {
    durable++
  }
  const keep = async (held: number) => {
    kept.push({ held, bitmaps: cyclesOf(await namesLeft(guest)), isDurable: durable > kept.length })
  }
  const { child } = await guest.liveAgent(target, { keep })
  await child.catchUp()
  await guest.io(0, 'write -P 1 0 64k')
  await child.rotate()
  t.strictSame(kept, [
    { held: 1, bitmaps: [0, 1], isDurable: true },
    { held: 2, bitmaps: [1, 2], isDurable: true },
  ])
})
