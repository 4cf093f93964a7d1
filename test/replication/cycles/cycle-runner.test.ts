import { isEqual, namesLeft, onGuest, settled } from './on-guest.js'

for (const format of ['qcow2', 'raw'] as const)
  onGuest(`cycles of two ${format} disks: all first, then what changed`, { disks: 2, format }, async (t, guest) => {
    await guest.io(0, 'write -P 1 1M 1M')
    const { runner } = await guest.agent()
    t.equal(runner.keepsBitmaps('disk0'), format === 'qcow2', 'raw has no place for a bitmap')
    const first = settled(await runner.cycle())
    t.match(first, {
      cycle: 1,
      held: 1,
      whole: [
        { volume: 'disk0', reason: 'new' },
        { volume: 'disk1', reason: 'new' },
      ],
      left: [],
    })
    await isEqual(t, guest, 'the first cycle')
    await guest.io(0, 'write -P 2 64k 64k')
    await guest.io(1, 'write -P 3 3M 4k')
    const second = settled(await runner.cycle())
    t.match(second, { cycle: 2, held: 2, whole: [], bytes: 2 * 65_536 })
    t.comment(JSON.stringify([first.took, second.took]))
    await isEqual(t, guest, 'the second')
    t.match(settled(await runner.cycle()), { cycle: 3, held: 2, bytes: 0 }, 'nothing was written')
    await guest.io(1, 'write -z 0 128k')
    t.match(settled(await runner.cycle()), { cycle: 4, held: 4, bytes: 131_072 })
    await isEqual(t, guest, 'after an idle one')
    t.same(await runner.detach(), [])
    t.same(await namesLeft(guest), [], 'nothing of ours is left')
  })
