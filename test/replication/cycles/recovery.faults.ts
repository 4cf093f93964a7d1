import { execFileSync } from 'node:child_process'
import t from 'tap'
import { planDisk } from '#xenlight/replication/cycles/plan-cycle.js'
import { failed, isEqual, namesLeft, onGuest, settled } from './on-guest.js'

onGuest('QEMU ends in order: the bitmaps of qcow2 are there again', { disks: 2 }, async (t, guest) => {
  const one = await guest.agent()
  settled(await one.runner.cycle())
  await guest.io(0, 'write -P 1 0 64k')
  const { held } = settled(await one.runner.cycle())
  await guest.io(1, 'write -P 2 1M 128k')
  await one.die()
  await guest.qemu.quit()
  await guest.restart()
  await guest.io(1, 'write -P 3 3M 64k')
  const two = await guest.agent({ held })
  t.match(settled(await two.runner.cycle()), { cycle: held + 1, whole: [], bytes: 3 * 65_536 })
  await isEqual(t, guest, 'after the restart')
})

for (const format of ['qcow2', 'raw'] as const)
  onGuest(`QEMU is killed in the run that began the bitmaps: ${format}`, { format }, async (t, guest) => {
    const one = await guest.agent()
    const { held } = settled(await one.runner.cycle())
    await guest.io(0, 'write -P 1 0 64k')
    await guest.io(0, 'flush')
    await guest.qemu.stop()
    t.match(failed(await one.runner.cycle()), { step: 'look' })
    await one.die()
    await guest.restart()
    const two = await guest.agent({ held })
    t.match(settled(await two.runner.cycle()), { cycle: 2, whole: [{ volume: 'disk0', reason: 'bitmap missing' }] })
    await isEqual(t, guest, 'after the kill')
  })

onGuest('raw has its bitmaps in memory only: an orderly end loses them too', { format: 'raw' }, async (t, guest) => {
  const one = await guest.agent()
  const { held } = settled(await one.runner.cycle())
  await one.die()
  await guest.qemu.quit()
  await guest.restart()
  const two = await guest.agent({ held })
  t.match(settled(await two.runner.cycle()), { whole: [{ reason: 'bitmap missing' }] })
})

onGuest(
  'a raw disk that gets a header keeps its bitmaps, and stays raw',
  { format: 'raw', disks: 2 },
  async (t, guest) => {
    await guest.io(0, 'write -P 9 0 64k')
    // QEMU has the images: they are not touched
    await guest.addHeaders()
    await guest.qemu.quit()
    await guest.restart()
    const one = await guest.agent()
    settled(await one.runner.cycle())
    await guest.io(0, 'write -P 1 1M 64k')
    const { held } = settled(await one.runner.cycle())
    await guest.io(1, 'write -P 2 2M 128k')
    await one.die()
    await guest.qemu.quit()
    await guest.restart()
    await guest.io(1, 'write -P 3 3M 64k')
    const two = await guest.agent({ held })
    t.match(settled(await two.runner.cycle()), { cycle: held + 1, whole: [], bytes: 3 * 65_536 })
    await isEqual(t, guest, 'what the raw images hold')
  },
)

onGuest(
  'QEMU is killed with bitmaps that the image had: they are inconsistent, and removed',
  { disks: 2 },
  async (t, guest) => {
    const one = await guest.agent()
    const { held } = settled(await one.runner.cycle())
    await one.die()
    await guest.qemu.quit()
    await guest.restart()
    await guest.io(0, 'write -P 1 0 64k')
    await guest.io(0, 'flush')
    await guest.qemu.stop()
    await guest.restart()
    const two = await guest.agent({ held })
    t.match(settled(await two.runner.cycle()).whole, [
      { volume: 'disk0', reason: 'bitmap inconsistent' },
      { volume: 'disk1', reason: 'bitmap inconsistent' },
    ])
    await isEqual(t, guest, 'after the kill')
    t.same(await two.runner.detach(), [])
    t.same(await namesLeft(guest), [])
  },
)

onGuest('one disk has lost its bitmap: only that one is sent whole', { disks: 2 }, async (t, guest) => {
  const { runner, qmp } = await guest.agent()
  settled(await runner.cycle())
  await qmp.execute('block-dirty-bitmap-remove', { node: 'disk1', name: 'xenlight:guest:r1:1' })
  await guest.io(0, 'write -P 1 0 64k')
  await guest.io(1, 'write -P 1 0 64k')
  t.match(settled(await runner.cycle()).whole, [{ volume: 'disk1', reason: 'bitmap missing' }])
  await isEqual(t, guest, 'after the loss')
  await qmp.execute('block-dirty-bitmap-disable', { node: 'disk0', name: 'xenlight:guest:r1:2' })
  await guest.io(0, 'write -P 2 1M 64k')
  t.match(settled(await runner.cycle()).whole, [{ volume: 'disk0', reason: 'bitmap stopped' }])
  await isEqual(t, guest, 'after it was disabled')
})

onGuest('a hub that lost what it had: all is sent, once', {}, async (t, guest) => {
  const { runner } = await guest.agent()
  settled(await runner.cycle())
  runner.distrust()
  t.equal(runner.held, undefined)
  t.match(settled(await runner.cycle()), { whole: [{ reason: 'distrusted' }], held: 2 })
  t.match(settled(await runner.cycle()), { whole: [], bytes: 0 })
})

onGuest('another replica of the group: the bitmaps of the one before are of no use', {}, async (t, guest) => {
  const one = await guest.agent()
  settled(await one.runner.cycle())
  await one.die()
  const two = await guest.agent({ replica: 'r2' })
  t.match(settled(await two.runner.cycle()), { whole: [{ reason: 'new' }] })
  const names = await namesLeft(guest)
  t.same(
    names.filter(name => name.startsWith('xenlight')),
    ['xenlight:guest:r2:1'],
  )
})

onGuest('an image that was put back, with the bitmap of its time', {}, async (t, guest) => {
  const one = await guest.agent()
  settled(await one.runner.cycle())
  await one.die()
  await guest.qemu.quit()
  const [path] = guest.paths
  execFileSync('cp', [path!, `${path}.backup`])
  await guest.restart()
  const two = await guest.agent()
  await guest.io(0, 'write -P 1 0 64k')
  const { held } = settled(await two.runner.cycle())
  await two.die()
  await guest.qemu.quit()
  execFileSync('mv', [`${path}.backup`, path!])
  await guest.restart()
  const three = await guest.agent({ held })
  t.match(settled(await three.runner.cycle()), { whole: [{ reason: 'bitmap outdated' }] })
  await isEqual(t, guest, 'after the restore')
})

onGuest('foreign bitmaps and backups are left alone', { size: 8 * 1024 * 1024 }, async (t, guest) => {
  const { qemu } = guest
  for (const name of ['bitmap0', 'xenlight:other:r1:4', 'xenlight-mine'])
    await qemu.qmp('block-dirty-bitmap-add', { node: 'disk0', name })
  await qemu.qmp('blockdev-add', { driver: 'null-co', 'node-name': 'nowhere', size: guest.size })
  await guest.io(0, 'write -P 1 0 8M')
  const backup = { 'job-id': 'nightly', device: 'disk0', target: 'nowhere', sync: 'full', speed: 65_536 }
  await qemu.qmp('blockdev-backup', backup)
  const { runner } = await guest.agent()
  t.match(runner.problems, [{ code: 'foreign-job', blocks: false, what: /nightly/ }])
  settled(await runner.cycle())
  await guest.io(0, 'write -P 2 4M 64k')
  settled(await runner.cycle())
  await isEqual(t, guest, 'beside a backup')
  t.same(await runner.detach(), [])
  t.same((await namesLeft(guest)).sort(), ['bitmap0', 'nightly', 'xenlight-mine', 'xenlight:other:r1:4'])
})

t.test('what bitmaps say', async t => {
  const owner = { group: 'g', replica: 'r' }
  const bitmap = (cycle: number, more: object = {}) => ({
    name: `xenlight:g:r:${cycle}`,
    count: 65_536,
    granularity: 65_536,
    recording: cycle > 0,
    busy: false,
    persistent: true,
    inconsistent: false,
    ...more,
  })
  const cases: [string, ReturnType<typeof bitmap>[], number | undefined, object][] = [
    ['none, and none expected', [], undefined, { whole: 'new' }],
    ['none', [], 3, { whole: 'bitmap missing' }],
    ['one', [bitmap(3)], undefined, { base: { cycle: 3 }, stale: [] }],
    [
      'two: the older one is used',
      [bitmap(4), bitmap(3)],
      undefined,
      { base: { cycle: 3 }, stale: [bitmap(4).name], largest: 4 },
    ],
    [
      'two, and the hub has the younger one',
      [bitmap(3), bitmap(4)],
      4,
      { base: { cycle: 4 }, stale: [bitmap(3).name] },
    ],
    ['the numbers are no texts', [bitmap(10), bitmap(9)], undefined, { base: { cycle: 9 }, largest: 10 }],
    [
      'a mark',
      [bitmap(0), bitmap(1)],
      undefined,
      { whole: 'unfinished', isMarked: true, stale: [bitmap(1).name], largest: 1 },
    ],
    ['a mark, and the hub has the cycle', [bitmap(0), bitmap(1)], 1, { base: { cycle: 1 }, stale: [bitmap(0).name] }],
    ['a mark, and the hub has another cycle', [bitmap(0), bitmap(2)], 1, { whole: 'unfinished' }],
    ['one of another time', [bitmap(3)], 5, { whole: 'bitmap outdated', stale: [bitmap(3).name] }],
    ['one of the future', [bitmap(6)], 5, { whole: 'bitmap outdated' }],
    ['an inconsistent one', [bitmap(3, { inconsistent: true, recording: false })], 3, { whole: 'bitmap inconsistent' }],
    ['one that is stopped', [bitmap(3, { recording: false })], 3, { whole: 'bitmap stopped' }],
    [
      'foreign ones',
      [bitmap(3, { name: 'xenlight:g:r:03' }), bitmap(3, { name: 'bitmap3' })],
      undefined,
      { whole: 'new', stale: [] },
    ],
    [
      'those of another replica',
      [bitmap(3, { name: 'xenlight:g:q:3' })],
      undefined,
      { whole: 'new', stale: ['xenlight:g:q:3'] },
    ],
  ]
  for (const [what, bitmaps, held, expected] of cases)
    t.match(planDisk(bitmaps, owner, { held, isDistrusted: false }), expected, what)
  t.match(planDisk([bitmap(3)], owner, { held: 3, isDistrusted: true }), {
    whole: 'distrusted',
    stale: [bitmap(3).name],
  })
})
