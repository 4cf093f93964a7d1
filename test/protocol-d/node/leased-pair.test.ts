import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connectNbd, type NbdClient } from 'xenlight/nbd'
import { connectDiskControl } from 'xenlight/protocol-d'
import type { LeasedNode } from '../../lease/pair/leased-node.js'
import { type LeasedWorld, leasedWorld } from '../../lease/pair/leased-world.js'
import { realPart } from '../../support/real-part.js'
import { runWith } from '../../xl-remus/run-with.js'
import { eventually } from '../eventually.js'

const ttl = 2000

/** A pair under a lease; the first node is Primary, and nobody writes. */
function pairUnderLease(t: Test): Promise<LeasedWorld | undefined> {
  return realPart(t, () => leasedWorld(t, { members: 1, ttl, isWithoutGuests: true }))
}

const guestOf = ({ nbd }: LeasedNode): Promise<NbdClient> => connectNbd({ path: nbd }, { export: 'disk' })

async function until(node: LeasedNode, what: object): Promise<void> {
  let last: unknown
  const isSo = async () => {
    const status = await node.status()
    last = status
    return Object.entries(what).every(([key, value]) => status?.[key as keyof typeof status] === value)
  }
  await eventually(`${node.name} is ${JSON.stringify(what)}`, isSo, () => JSON.stringify(last))
}

/** Waits until a guest is served there. */
const untilServed = (node: LeasedNode) =>
  eventually(`${node.name} serves`, async () => {
    const status = await node.status()
    return status?.role === 'primary' && !status.asksAlone && status.lease?.state === 'held'
  })

const write = async (guest: NbdClient, value: number) => {
  await guest.write(0, Buffer.alloc(512, value))
  await guest.flush()
}
const read = async (guest: NbdClient) => (await guest.read(0, 1))[0]
const etcd = ({ cluster }: LeasedWorld) => ['--etcd', cluster.options.endpoints.join(',')]

t.test(
  'a node is Primary by its lease; where it dies, the other one is, and alone until both hold the same',
  async t => {
    const world = await pairUnderLease(t)
    if (world === undefined) return
    const [anna, berta] = world.nodes
    t.match(await anna.status(), { role: 'primary', promotion: 1, lease: { name: 'web', state: 'held', epoch: 1 } })
    t.match(await berta.status(), { role: 'secondary', lease: { state: 'waits', holder: 'anna', node: 'berta' } })
    t.match(await runWith(['status', '--control', anna.control]), {
      status: 0,
      stdout: /; lease web: held, epoch 1\n$/,
    })
    t.match(await runWith(['status', '--control', berta.control]), { stdout: /; lease web: anna has it\n$/ })
    for (const words of [['promote'], ['promote', '--force'], ['promote', '--number', '9'], ['alone']])
      t.match(await runWith([...words, '--control', berta.control]), {
        status: 6,
        stderr: /the lease of the node decides/,
      })
    {
      await using guest = await guestOf(anna)
      await write(guest, 1)
    }
    await until(berta, { differing: 0, unsent: 0 })
    await anna.end()
    await untilServed(berta)
    t.match(await berta.status(), { promotion: 2, lease: { state: 'held', epoch: 2, holder: 'berta' } })
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
      ...{ lease: 'web', holder: 'berta', epoch: 2 },
      pair: { primary: { name: 'berta', side: 'connect' }, promotion: 2, alone: null, state: 'equal', isForced: false },
    })

    // an operator has the other one be Primary
    const idle = await guestOf(berta)
    t.match(await runWith(['demote', '--control', berta.control]), { status: 6, stderr: /has NBD clients \(1\)/ })
    t.match(await runWith(['demote', '--force', '--control', berta.control]), { status: 0 })
    await t.rejects(idle.read(0, 1))
    await until(anna, { role: 'primary', promotion: 3 })
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
  await pause(ttl * 1.5)
  t.match(await berta.status(), { role: 'secondary', lease: { state: 'waits', holder: undefined } })
  t.match(await runWith(['promote', '--force-lease', 'anna burnt down', '--control', berta.control]), { status: 0 })
  t.match(await runWith(['pairs', ...etcd(world)]), {
    stdout: /forced: berta \(connects\), promotion 2 \(anna burnt down\)\n$/,
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
