import t from 'tap'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import { PlayedHost, playHub, until } from './played-hub.js'

const MiB = 1024 * 1024
const volumes = [
  { number: 0, name: 'root', size: MiB },
  { number: 1, name: 'data', size: 2 * MiB },
]
const bytes = (value: number, length = 4096) => new Uint8Array(length).fill(value)

/** A hub with a group that is settled. */
async function settledHub(disk = new PlayedDisk(), host = new PlayedHost()) {
  const hub = await playHub(disk, { host })
  const agent = new PlayedAgent(hub, 'host-1')
  const { channel, replica, epoch } = await agent.attached('web', { volumes })
  agent.say(channel, { kind: 'unsettled', reason: 'new replica' })
  agent.say(channel, { kind: 'fill', volume: 0, offset: 0, data: bytes(1) })
  await agent.allDurable(channel, agent.say(channel, { kind: 'settled' }))
  return { disk, hub, agent, channel, replica, epoch }
}

t.test('a stream is acknowledged when it is durable, and goes on where it was', async t => {
  const { disk, hub, agent, channel } = await settledHub()
  const [group] = hub.groups
  t.match(group!.status(), { state: 'protected', isAttached: true, agent: 'host-1', lag: 0 })
  const sequence = agent.say(channel, { kind: 'write', volume: 1, offset: 8192, data: bytes(7) })
  t.equal(agent.durable(channel), 3, 'not yet')
  await agent.allDurable(channel, sequence)
  agent.user.ended()
  t.match(group!.status(), { state: 'disconnected', isAttached: false, agent: 'host-1' })
  const again = await playHub(disk.afterKill())
  t.match(again.groups[0]!.status(), { state: 'disconnected', agent: 'host-1' }, 'also after the hub was killed')
  const back = new PlayedAgent(again, 'host-1')
  t.match(await back.attach('web', { volumes, epoch: 1 }), { kind: 'attached', received: sequence })
})

/** Pauses until it is told to go on. */
class PausingHost extends PlayedHost {
  goOn: () => void = () => {}

  override pause(): Promise<void> {
    return new Promise(resolve => {
      this.goOn = resolve
    })
  }
}

t.test('a commit waits for more, and not where somebody waits for it', async t => {
  const host = new PausingHost()
  const { agent, channel } = await settledHub(undefined, host)
  const write = (length = 4096) => agent.say(channel, { kind: 'write', volume: 1, offset: 0, data: bytes(7, length) })
  const waits = async (sequence: number) => {
    for (let turns = 0; turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
    t.ok(agent.durable(channel) < sequence, `${sequence} waits`)
  }
  const first = write()
  await waits(first)
  host.goOn()
  await agent.allDurable(channel, first)
  await waits(write())
  await agent.allDurable(channel, agent.say(channel, { kind: 'point', name: 'here' }))
  await waits(write())
  write(MiB)
  await agent.allDurable(channel, write(MiB))
  const last = write()
  await waits(last)
  const again = await agent.attach('web', { volumes, epoch: 1 })
  t.match(again, { kind: 'attached', received: last }, 'who attaches waits for nothing')
})

t.test('what an agent sends wrong ends its stream, and nothing else', async t => {
  const good = { kind: 'write', volume: 0, offset: 0, data: bytes(1), sequence: 4, time: 5 } as const
  const cases = {
    'a gap': { ...good, sequence: 5 },
    'a repeat': { ...good, sequence: 3 },
    'a volume that is none': { ...good, volume: 9 },
    'a write beyond the end': { ...good, offset: MiB - 4095 },
    'a write before the beginning': { ...good, offset: -4096 },
    'no data': { ...good, data: bytes(1, 0) },
    'zeroes beyond the end': { kind: 'zero', volume: 0, offset: 4096, length: MiB, sequence: 4, time: 5 },
    'too much data': { ...good, volume: 1, data: bytes(1, MiB + 1) },
    'a time that is none': { ...good, time: -1 },
    'a checkpoint that is a path': { kind: 'point', name: '../x', sequence: 4, time: 5 },
  } as const
  for (const [what, message] of Object.entries(cases)) {
    await t.test(what, async t => {
      const { hub, agent, channel } = await settledHub()
      const other = await agent.attached('mail', { volumes, stream: 'stream-2' })
      agent.user.message({ ...message, channel })
      await until('it is stopped', () => agent.stopped(channel) !== undefined)
      t.match(agent.stopped(channel), { kind: 'stopped' })
      t.notMatch(agent.stopped(channel)?.code, /full|file-failed/)
      // what follows is late
      agent.user.message({ ...good, channel })
      agent.say(other.channel, { kind: 'unsettled', reason: 'new replica' })
      await agent.allDurable(other.channel, 1)
      t.equal(hub.groups.length, 2)
      t.match(await agent.attach('web', { volumes, epoch: 1 }), { kind: 'attached', received: 3 })
    })
  }
})

t.test('who may attach', async t => {
  await t.test('another agent waits until the first has gone', async t => {
    const { hub, agent } = await settledHub()
    const other = new PlayedAgent(hub, 'host-2')
    t.match(await other.attach('web', { volumes }), { kind: 'refused', code: 'in-use', message: /host-1/ })
    await hub.look()
    t.notOk(other.got.some(({ kind }) => kind === 'ready'))
    agent.user.ended()
    await hub.look()
    t.match(other.got.at(-1), { kind: 'ready', group: 'web' })
    t.match(await other.attach('web', { volumes, stream: 'stream-9' }), {
      kind: 'attached',
      received: undefined,
      holds: false,
    })
  })

  await t.test('one that is refused does not become the one whose group it is', async t => {
    const { hub, agent } = await settledHub()
    const other = new PlayedAgent(hub, 'host-2')
    t.match(await other.attach('web', { volumes }), { kind: 'refused', code: 'in-use' })
    t.match(hub.groups[0]!.status(), { agent: 'host-1' })
    agent.user.ended()
    const small = volumes.map(volume => ({ ...volume, size: 512 }))
    t.match(await other.attach('web', { volumes: small }), { kind: 'refused', code: 'wrong-state' })
    t.match(hub.groups[0]!.status(), { agent: 'host-1' })
    await other.attached('web', { volumes, stream: 'stream-2' })
    t.match(hub.groups[0]!.status(), { agent: 'host-2' })
  })

  await t.test('a newer connection of the same agent takes the place of the older', async t => {
    const { hub, agent, channel } = await settledHub()
    const newer = new PlayedAgent(hub, 'host-1')
    t.match(await newer.attach('web', { volumes, epoch: 1 }), { kind: 'attached', received: 3 })
    t.match(agent.stopped(channel), { code: 'in-use' })
    agent.user.ended()
    t.equal(hub.groups[0]!.status().isAttached, true, 'its end does not end the newer one')
  })

  await t.test('and goes on behind all that the older one has sent', async t => {
    const { hub, agent, channel } = await settledHub()
    let last = 0
    for (let count = 0; count < 50; count++)
      last = agent.say(channel, { kind: 'write', volume: 0, offset: 0, data: bytes(count) })
    const { received, channel: next } = await agent.attached('web', { volumes, epoch: 1 })
    t.equal(received, last)
    await agent.allDurable(next, agent.say(next, { kind: 'write', volume: 0, offset: 0, data: bytes(1) }))
    t.equal(hub.groups[0]!.status().lag, 0)
  })

  await t.test('within its rights, under names that are ones', async t => {
    const rights = { groups: { web: { agents: ['host-1'], control: [] } } }
    const hub = await playHub(new PlayedDisk(), { rights })
    const agent = new PlayedAgent(hub, 'host-2')
    for (const group of ['web', 'mail', 'constructor'])
      t.match(await agent.attach(group, { volumes }), { kind: 'refused', code: 'not-allowed' }, group)
    for (const group of ['', '.', '../web', 'a/b', '-x', 'x'.repeat(65), 'a b'])
      t.match(await agent.attach(group, { volumes }), { kind: 'refused', code: 'bad-name' }, group)
    t.equal(hub.groups.length, 0)
    t.match(await new PlayedAgent(hub, 'host-1').attach('web', { volumes }), { kind: 'attached' })
  })

  await t.test('no more groups than there may be', async t => {
    const hub = await playHub(new PlayedDisk(), { groupsAtMost: 2 })
    const agent = new PlayedAgent(hub, 'host-1')
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(group => agent.attach(group, { volumes })))
    t.strictSame(
      answers.map(answer => answer.kind),
      ['attached', 'attached', 'refused', 'refused'],
    )
    t.match(answers[2], { code: 'full' })
  })
})

t.test('volumes', async t => {
  const root = volumes[0]!
  const cases: Record<string, [given: { number: number; name: string; size: number }[], code: string | undefined]> = {
    'one that has grown': [[{ ...root, size: 2 * MiB }], undefined],
    'one more': [[...volumes, { number: 2, name: 'log', size: 512 }], undefined],
    'one that has shrunk': [[{ ...root, size: MiB - 512 }], 'wrong-state'],
    'another name': [[{ ...root, name: 'swap' }], 'wrong-state'],
    'another number': [[{ ...root, number: 7 }], 'wrong-state'],
    'the same number twice': [
      [
        { number: 5, name: 'x', size: 512 },
        { number: 5, name: 'y', size: 512 },
      ],
      'wrong-state',
    ],
    'the same name twice': [
      [
        { number: 5, name: 'x', size: 512 },
        { number: 6, name: 'x', size: 512 },
      ],
      'wrong-state',
    ],
    'a number that is none': [[{ number: 256, name: 'x', size: 512 }], 'wrong-state'],
    'no size': [[{ number: 3, name: 'x', size: 0 }], 'wrong-state'],
    'a size beyond all limits': [[{ number: 3, name: 'x', size: Number.MAX_SAFE_INTEGER }], 'full'],
    'a name that is a path': [[{ number: 3, name: '../x', size: 512 }], 'bad-name'],
    'too many': [
      Array.from({ length: 70 }, (_, number) => ({ number: number + 2, name: `v${number}`, size: 512 })),
      'full',
    ],
    none: [[], 'wrong-state'],
  }
  for (const [what, [given, code]] of Object.entries(cases)) {
    await t.test(what, async t => {
      const { agent, hub } = await settledHub()
      const answer = await agent.attach('web', { volumes: given, epoch: 1 })
      t.match(answer, code === undefined ? { kind: 'attached' } : { kind: 'refused', code })
      const known = hub.groups[0]!.status().volumes
      if (code !== undefined) t.strictSame(known, volumes, 'nothing is changed')
      else t.ok(given.every(one => known.some(({ name, size }) => name === one.name && size === one.size)))
    })
  }
})

t.test('what the replica holds', async t => {
  const { hub, agent, replica } = await settledHub()
  agent.user.ended()
  const holds = async (previous: { replica: string; stream: string; sequence: number }) => {
    const next = new PlayedAgent(hub, 'host-1')
    const { holds } = await next.attached('web', { volumes, epoch: 1, stream: 'stream-2', previous })
    next.user.ended()
    return holds
  }
  t.equal(await holds({ replica, stream: 'stream-1', sequence: 3 }), true)
  t.equal(await holds({ replica, stream: 'stream-1', sequence: 1 }), true)
  t.equal(await holds({ replica, stream: 'stream-1', sequence: 4 }), false, 'more than it has')
  t.equal(await holds({ replica, stream: 'stream-0', sequence: 1 }), false, 'another stream')
  t.equal(await holds({ replica: 'other', stream: 'stream-1', sequence: 3 }), false, 'another replica')
})

t.test('what the replica holds through streams that began on it and were never acknowledged', async t => {
  const { disk, hub, agent, replica } = await settledHub()
  agent.user.ended()
  const base = { replica, stream: 'stream-1', sequence: 2 }
  const attach = (on: typeof hub, stream: string, previous: typeof base) => {
    const next = new PlayedAgent(on, 'host-1')
    return next.attached('web', { volumes, epoch: 1, stream, previous }).then(attached => ({ next, ...attached }))
  }
  const short = async (on: typeof hub, stream: string, previous: typeof base) => {
    const { next, channel, holds } = await attach(on, stream, previous)
    next.say(channel, { kind: 'unsettled', reason: 'again' })
    await next.allDurable(channel, next.say(channel, { kind: 'fill', volume: 0, offset: 0, data: bytes(9) }))
    next.user.ended()
    return holds
  }
  // the agent hears of none of them
  for (const stream of ['stream-2', 'stream-3']) t.equal(await short(hub, stream, base), true, stream)
  const again = await playHub(disk.afterKill())
  t.equal(await short(again, 'stream-4', base), true, 'also after the hub was killed')
  t.equal(await short(again, 'stream-5', { ...base, sequence: 4 }), false, 'more than it has of that')
  t.equal(await short(again, 'stream-6', base), false, 'not where a stream began on nothing')
  t.equal(await short(again, 'stream-7', { ...base, stream: 'stream-6', sequence: 1 }), true)

  const last = { ...base, stream: 'stream-7', sequence: 1 }
  const { next, channel, holds } = await attach(again, 'stream-8', last)
  t.equal(holds, true)
  next.say(channel, { kind: 'unsettled', reason: 'again' })
  next.time += 61_000_000
  await next.allDurable(channel, next.say(channel, { kind: 'fill', volume: 0, offset: 0, data: bytes(8) }))
  next.user.ended()
  t.equal((await attach(again, 'stream-9', last)).holds, false, 'after a minute it has heard')
  t.equal((await attach(again, 'stream-9', { ...last, stream: 'stream-8', sequence: 1 })).holds, true)
})

t.test('a stream that does not go on where the replica is begins with unsettled', async t => {
  for (const previous of [false, true]) {
    const { hub, agent, replica } = await settledHub()
    agent.user.ended()
    const next = new PlayedAgent(hub, 'host-1')
    const { channel, holds } = await next.attached('web', {
      volumes,
      stream: 'stream-2',
      ...(previous && { previous: { replica, stream: 'stream-1', sequence: 3 } }),
    })
    t.equal(holds, previous)
    t.match(hub.groups[0]!.status(), { state: previous ? 'protected' : 'syncing' }, 'nobody knows what differs')
    next.say(channel, { kind: 'write', volume: 0, offset: 0, data: bytes(9) })
    if (previous) await next.allDurable(channel, 1)
    else {
      t.match(next.stopped(channel), { code: 'protocol', message: /unsettled/ })
      t.equal(hub.groups[0]!.journal.last.position, hub.groups[0]!.journal.last.settled?.position)
    }
  }
})

t.test('a disk that is full stops the stream, and lets it come again', async t => {
  const disk = new PlayedDisk()
  const { hub, agent, channel } = await settledHub(disk)
  disk.failAt = disk.operations + 1
  agent.say(channel, { kind: 'write', volume: 0, offset: 0, data: bytes(2) })
  await until('it is stopped', () => agent.stopped(channel) !== undefined)
  t.match(agent.stopped(channel), { code: 'full' })
  t.match(hub.groups[0]!.status(), { state: 'full' })
  t.match(await agent.attach('web', { volumes, epoch: 1 }), { kind: 'refused', code: 'full' })
  t.notMatch(agent.got, [{ kind: 'ready' }])
  await hub.look()
  t.same(
    agent.got.filter(({ kind }) => kind === 'ready'),
    [{ kind: 'ready', group: 'web' }],
  )
  const { channel: next } = await agent.attached('web', { volumes, epoch: 1 })
  await agent.allDurable(next, agent.say(next, { kind: 'write', volume: 0, offset: 0, data: bytes(2) }))
  t.match(hub.groups[0]!.status(), { state: 'protected' })
})

t.test('a journal that has its limit is full, until what holds it is gone', async t => {
  const hub = await playHub(new PlayedDisk(), { limits: { journalBytes: 512 * 1024, journalHardBytes: MiB } })
  const agent = new PlayedAgent(hub, 'host-1')
  const { channel } = await agent.attached('web', { volumes })
  agent.say(channel, { kind: 'unsettled', reason: 'new replica' })
  await agent.allDurable(channel, agent.say(channel, { kind: 'settled' }))
  const [group] = hub.groups
  await group!.life.test({ name: 'holds', at: { newest: true }, by: 'me' })
  for (let count = 0; count < 12 && agent.stopped(channel) === undefined; count++) {
    const sequence = agent.say(channel, { kind: 'write', volume: 1, offset: 0, data: bytes(count, 128 * 1024) })
    await until(
      'it is taken or stopped',
      () => agent.durable(channel) >= sequence || agent.stopped(channel) !== undefined,
    )
  }
  t.match(agent.stopped(channel), { code: 'full' })
  t.match(group!.status(), { state: 'full' })
  await group!.life.discard('holds', 'me')
  await hub.look()
  const again = await agent.attached('web', { volumes, epoch: 1 })
  await agent.allDurable(
    again.channel,
    agent.say(again.channel, { kind: 'write', volume: 1, offset: 0, data: bytes(99, 128 * 1024) }),
  )
})

t.test('digests are of all that was appended', async t => {
  const { createHash } = await import('node:crypto')
  const { hub, agent, channel } = await settledHub()
  const image = new Uint8Array(2 * MiB)
  const ask = (offset: number, length: number) =>
    agent.user.request({
      kind: 'digestsRequest',
      channel,
      request: 1,
      volume: 1,
      offset,
      length,
    }) as Promise<Uint8Array>
  const expected = (offset: number, length: number) => {
    const all: Buffer[] = []
    for (let at = offset; at < offset + length; at += 65_536)
      all.push(
        createHash('sha256')
          .update(image.subarray(at, Math.min(at + 65_536, offset + length)))
          .digest(),
      )
    return Buffer.concat(all)
  }
  t.ok(expected(0, 2 * MiB).equals(await ask(0, 2 * MiB)), 'zeroes')
  for (let round = 1; round < 8; round++) {
    const offset = round * 130_000
    image.fill(round, offset, offset + 50_000)
    agent.say(channel, { kind: 'fill', volume: 1, offset, data: image.slice(offset, offset + 50_000) })
    t.ok(expected(0, 2 * MiB).equals(await ask(0, 2 * MiB)), `round ${round}`)
    t.ok(expected(65_536, 65_536).equals(await ask(65_536, 65_536)))
    if (round % 3 === 0) await hub.look()
  }
  for (const [offset, length] of [
    [1, 65_536],
    [0, 0],
    [0, 4096],
    [2 * MiB, 65_536],
    [0, 4 * MiB],
    [-65_536, 65_536],
  ] as const)
    await t.rejects(ask(offset, length), { code: 'protocol' }, `${offset}+${length}`)
  await t.rejects(
    agent.user.request({ kind: 'digestsRequest', channel: 77, request: 1, volume: 1, offset: 0, length: 1 }),
  )
  await t.rejects(agent.user.request({ kind: 'readRequest', channel, request: 1, volume: 1, offset: 0, length: 1 }), {
    code: 'not-allowed',
  })
})

t.test('digests of a part, while very much else is written', async t => {
  const { createHash } = await import('node:crypto')
  const hub = await playHub(new PlayedDisk())
  const agent = new PlayedAgent(hub, 'host-1')
  const large = 64 * MiB
  const big = { number: 0, name: 'big', size: 2 ** 41 }
  const { channel } = await agent.attached('web', { volumes: [big] })
  const ask = () =>
    agent.user.request({ kind: 'digestsRequest', channel, request: 1, volume: 0, offset: 0, length: 65_536 })
  agent.say(channel, { kind: 'unsettled', reason: 'new replica' })
  await ask()
  let last = 0
  for (let offset = large; offset < 2 ** 40 + 4 * large; offset += large)
    last = agent.say(channel, { kind: 'zero', volume: 0, offset, length: large })
  await agent.allDurable(channel, last)
  const data = bytes(5, 65_536)
  agent.say(channel, { kind: 'write', volume: 0, offset: 0, data })
  t.ok(
    createHash('sha256')
      .update(data)
      .digest()
      .equals((await ask()) as Uint8Array),
  )
})
