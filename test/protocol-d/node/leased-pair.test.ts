import t from 'tap'
import { connectDiskControl } from 'xenlight/protocol-d'
import { runWith } from '../../xl-remus/run-with.js'
import { eventually } from '../eventually.js'
import { etcd, guestOf, pairUnderLease, read, until, untilServed, write } from './pair-under-lease.js'

t.test(
  'a node is Primary by its lease; where it dies, the other one is, and alone until both hold the same',
  async t => {
    const world = await pairUnderLease(t)
    if (world === undefined) return
    const [anna, berta] = world.nodes
    const first = await anna.status()
    t.match(first, { role: 'primary', lease: { name: 'web', state: 'held', epoch: first!.promotion } })
    t.match(await berta.status(), { role: 'secondary', lease: { state: 'waits', holder: 'anna', node: 'berta' } })
    t.match(await runWith(['status', '--control', anna.control]), {
      status: 0,
      stdout: /; lease web: held, epoch \d+\n$/,
    })
    t.match(await runWith(['status', '--control', berta.control]), { stdout: /; lease web: anna has it/ })
    for (const words of [['promote'], ['promote', '--force'], ['promote', '--number', '9'], ['alone']])
      t.match(await runWith([...words, '--control', berta.control]), {
        status: 6,
        stderr: /the lease of the node decides/,
      })
    {
      await using guest = await guestOf(anna)
      await write(guest, 1)
    }
    await until(anna, { unacknowledged: 0, unsent: 0 })
    await anna.end()
    await untilServed(berta)
    const second = await berta.status()
    t.match(second, { lease: { epoch: second!.promotion, holder: 'berta' } })
    t.ok(second!.promotion > first!.promotion, 'so that an earlier one is fenced')
    t.match(await runWith(['pairs', ...etcd(world)]), {
      status: 0,
      stdout:
        /^web: berta has its lease; anna \(listens\), berta \(connects\); primary: .*; berta \(connects\) alone may be/,
    })
    {
      await using guest = await guestOf(berta)
      t.equal(await read(guest), 1)
      await write(guest, 2)
    }
    anna.start()
    await world.untilEqual()
    const isCleared = async () => (await runWith(['pairs', ...etcd(world)])).stdout.includes('both held the same')
    await eventually('the catalogue says so', isCleared)
    t.match(JSON.parse((await runWith(['pairs', '--json', ...etcd(world)])).stdout), {
      ...{ lease: 'web', holder: 'berta' },
      pair: { primary: { name: 'berta', side: 'connect' }, alone: null, state: 'equal', isForced: false },
    })

    // an operator has the other one be Primary
    const idle = await guestOf(berta)
    t.match(await runWith(['demote', '--control', berta.control]), { status: 6, stderr: /has NBD clients \(1\)/ })
    t.match(await runWith(['demote', '--force', '--control', berta.control]), { status: 0 })
    await t.rejects(idle.read(0, 1))
    await untilServed(anna)
    await world.untilEqual()
    await using guest = await guestOf(anna)
    t.equal(await read(guest), 2)
    t.match(await runWith(['promote', '--force-lease', 'nothing', '--control', anna.control]), { status: 0 }, 'it is')
    t.match(await runWith(['promote', '--force-lease', 'me!', '--timeout', '1s', '--control', berta.control]), {
      status: 6,
      stderr: /not done in time/,
    })
  },
)

t.test('a process that was stopped past its lease answers nothing when it goes on', async t => {
  const world = await pairUnderLease(t)
  if (world === undefined) return
  const [anna, berta] = world.nodes
  const guest = await guestOf(anna)
  await using control = await connectDiskControl(anna.control)
  await control.setCheckpointing(true)
  await guest.write(0, Buffer.alloc(512, 1))
  const { isAwaited } = await control.checkpoint()
  if (isAwaited) await control.waitForAck()
  anna.signal('SIGSTOP')
  const answers: string[] = []
  const asked = [guest.write(512, Buffer.alloc(512, 2)), guest.read(0, 1), guest.flush(), control.checkpoint()].map(
    work =>
      work.then(
        () => answers.push('answered'),
        () => answers.push('lost'),
      ),
  )
  await untilServed(berta)
  anna.signal('SIGCONT')
  await Promise.all(asked)
  t.strictSame(answers, ['lost', 'lost', 'lost', 'lost'])
  await world.untilEqual()
  t.match(await anna.status(), { role: 'secondary' })
  await using other = await guestOf(berta)
  t.equal(await read(other), 1)
  t.equal((await other.read(512, 1))[0], 0, 'nothing of what it was asked for is there')
})
