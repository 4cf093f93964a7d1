import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { runWith } from '../../xl-remus/run-with.js'
import { eventually } from '../eventually.js'
import { etcd, guestOf, pairUnderLease, read, ttl, until, write } from './pair-under-lease.js'

t.test('what went on alone is not taken over from, but by an operator, who gives a reason', async t => {
  const world = await pairUnderLease(t)
  if (world === undefined) return
  const [anna, berta] = world.nodes
  await berta.end()
  await until(anna, { connection: 'none', asksAlone: false })
  {
    await using guest = await guestOf(anna)
    await write(guest, 1)
  }
  await anna.end()
  berta.start()
  const isRefused = async () =>
    (await berta.status())?.lease?.why === 'anna went on alone, and has what is missing here'
  await eventually('it knows', isRefused)
  await pause(ttl + 1000)
  t.match(await berta.status(), { role: 'secondary', lease: { state: 'waits', holder: undefined } })
  t.match(await runWith(['promote', '--force-lease', 'anna burnt down', '--control', berta.control]), { status: 0 })
  t.match(await runWith(['pairs', ...etcd(world)]), {
    stdout: /forced: berta \(connects\), promotion \d+ \(anna burnt down\)\n$/,
  })
  {
    await using guest = await guestOf(berta)
    t.equal(await read(guest), 0)
    await write(guest, 2)
  }
  anna.start()
  await until(anna, { isRefused: true })
  await pause(ttl)
  t.match(
    await anna.status(),
    { isRefused: true, role: 'secondary' },
    'what an operator has given up is not thrown away',
  )
  t.match(await runWith(['resync', '--discard', '--control', anna.control]), { status: 0 })
  await world.untilEqual()
  await using guest = await guestOf(berta)
  t.equal(await read(guest), 2)
})
