import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { ReplicationError } from '#xenlight/replication/replication-error.js'
import type { Message } from '#xenlight/replication/wire/message.js'
import { encodeMessage } from '#xenlight/replication/wire/message-codec.js'
import type { SessionMessage } from '#xenlight/replication/wire/session.js'
import { memoryPair, TestClock } from './memory-pair.js'
import { SessionPair, Side, silence, uuid, write } from './session-pair.js'

const megabyte = 1024 * 1024

/** A hub, or an agent, and an end that says whatever a test wants. */
function withRawPeer(role: 'agent' | 'hub', isGreeted = true) {
  const [end, raw] = memoryPair()
  const clock = new TestClock()
  const side = new Side(end, role, clock)
  const said: Buffer[] = []
  raw.start({ data: bytes => said.push(Buffer.from(bytes)), end() {} })
  const say = (...messages: Message[]) => raw.inject(...messages.map(message => encodeMessage(message)))
  if (isGreeted)
    say(role === 'hub' ? { kind: 'hello', version: 1, agent: 'evil' } : { kind: 'welcome', version: 1, hub: 'evil' })
  const allSaid = () => {
    end.deliver()
    return Buffer.concat(said).toString('latin1')
  }
  return { side, raw, end, say, clock, allSaid }
}

/** What it settles with, also where it fails. */
const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch(error => error)

const attach = (channel: number): Message => ({
  ...{ kind: 'attach', channel, group: 'g', epoch: 0, stream: uuid, oldest: 1, volumes: [] },
})

const attached = (channel: number, window = megabyte, received?: number): SessionMessage & Message => ({
  ...{ kind: 'attached', channel, epoch: 0, replica: uuid, holds: false, window, received },
})

t.test('the greeting', async t => {
  await t.test('both know each other, and what is said comes over', t => {
    const pair = SessionPair.greeted()
    t.equal(pair.hub.peer, 'host1')
    t.equal(pair.agent.peer, 'hub1')
    t.ok(pair.agent.session.send({ kind: 'report', volumes: [] }))
    t.ok(pair.hub.session.send({ kind: 'ready', group: 'g' }))
    pair.deliver(7)
    t.same(pair.hub.messages, [{ kind: 'report', volumes: [] }])
    t.same(pair.agent.messages, [{ kind: 'ready', group: 'g' }])
    t.end()
  })

  await t.test('another version is told which one to update', t => {
    for (const [role, version, older] of [
      ['hub', 2, 'hub'],
      ['hub', 0, 'agent'],
      ['agent', 2, 'agent'],
      ['agent', 0, 'hub'],
    ] as const) {
      const { side, say, allSaid } = withRawPeer(role, false)
      say(role === 'hub' ? { kind: 'hello', version, agent: 'a' } : { kind: 'welcome', version, hub: 'h' })
      t.equal(side.hostEnds[0]?.code, 'protocol')
      t.match(side.why, new RegExp(`version ${version}.*version 1: update the ${older}$`))
      t.match(allSaid(), `update the ${older}`, 'and the other end is told')
      t.equal(side.peer, undefined)
    }
    t.end()
  })

  await t.test('the refused agent hears why', t => {
    const pair = new SessionPair()
    pair.hub.admit = name => {
      throw new ReplicationError('not-allowed', `${name} is not known here`)
    }
    pair.deliver()
    t.same(
      pair.agent.hostEnds.map(({ code, message }) => [code, message]),
      [['not-allowed', 'the hub has ended the connection: host1 is not known here']],
    )
    t.equal(pair.hub.hostEnds[0]?.code, 'not-allowed')
    t.same(pair.agent.ends, [], 'it had no user')
    t.equal(pair.clock.timers, 0)
    t.end()
  })

  await t.test('something else first', t => {
    for (const first of [
      encodeMessage(write(1, 1, megabyte)).subarray(0, 40),
      encodeMessage({ kind: 'ping', received: 0 }),
      encodeMessage({ kind: 'welcome', version: 1, hub: 'h' }),
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n'),
    ]) {
      const { side, raw, allSaid } = withRawPeer('hub', false)
      raw.inject(first)
      t.equal(side.hostEnds[0]?.code, 'protocol')
      t.ok(allSaid().includes(side.why!), 'it is told so')
    }
    t.end()
  })

  await t.test('one that never greets, though it says something now and then', t => {
    const { side, raw, clock } = withRawPeer('hub', false)
    const hello = encodeMessage({ kind: 'hello', version: 1, agent: 'slow' })
    let ticks = 0
    // a byte each second
    clock.pass(silence * 2, () => ++ticks % 10 === 0 && raw.inject(hello.subarray(ticks / 10 - 1, ticks / 10)))
    t.equal(side.hostEnds[0]?.code, 'lost')
    t.match(side.why, 'it does not greet')
    t.ok(raw.isClosed)
    t.end()
  })

  t.test('greeted twice', t => {
    const { side, say } = withRawPeer('hub')
    say({ kind: 'hello', version: 1, agent: 'evil' })
    t.match(side.why, "'hello', which may not come now")
    t.end()
  })
})

t.test('the heartbeat', async t => {
  await t.test('two that have nothing to say stay connected', t => {
    const pair = SessionPair.greeted()
    pair.clock.pass(silence * 50, () => pair.deliver())
    t.notOk(pair.agent.session.isOver)
    t.notOk(pair.hub.session.isOver)
    t.end()
  })

  await t.test('a frozen peer', t => {
    const pair = SessionPair.greeted()
    pair.clock.pass(silence * 5, () => pair.deliver())
    pair.clock.pass(silence - 1000)
    t.notOk(pair.agent.session.isOver, 'not before its time')
    pair.clock.pass(3000)
    t.match(pair.agent.why, 'the hub is gone: it is silent')
    t.equal(pair.agent.hostEnds[0]?.code, 'lost')
    t.match(pair.hub.why, 'the agent is gone: it is silent')
    pair.clock.pass(silence)
    t.ok(pair.agentEnd.isClosed)
    t.equal(pair.clock.timers, 0, 'nothing is left')
    t.same([pair.agent.ends.length, pair.agent.hostEnds.length], [1, 1], 'told once')
    t.end()
  })

  await t.test('a peer that is heard and takes nothing', t => {
    const { side, say, clock, end } = withRawPeer('agent')
    end.deliver()
    side.session.send(attach(1) as SessionMessage)
    say(attached(1))
    side.session.send(write(1, 1, megabyte))
    const stillThere = () => say({ kind: 'ping', received: 50 })
    clock.pass(silence, stillThere)
    t.notOk(side.session.isOver)
    clock.pass(2000, stillThere)
    t.match(side.why, 'the hub is gone: it takes nothing of what is sent')
    t.end()
  })

  await t.test('a slow one is neither', t => {
    const pair = SessionPair.greeted()
    pair.attach(1)
    pair.agent.session.send(write(1, 1, megabyte))
    // 10 KB a second: the message takes 105 s
    pair.clock.pass(100_000, () => {
      pair.agentEnd.deliver(1000)
      pair.hubEnd.deliver()
    })
    t.equal(pair.hub.messages.length, 1, 'not there yet')
    pair.clock.pass(20_000, () => {
      pair.agentEnd.deliver(1000)
      pair.hubEnd.deliver()
    })
    t.equal(pair.hub.heard('write').length, 1)
    t.notOk(pair.agent.session.isOver)
    t.notOk(pair.hub.session.isOver)
    t.end()
  })

  await t.test('a slow one behind large buffers of the system is known by what it says that it has received', t => {
    const pair = SessionPair.greeted({ step: 8 * megabyte })
    pair.attach(1)
    pair.agent.session.send(write(1, 1, megabyte))
    pair.agent.session.send(write(1, 2, megabyte))
    const before = pair.agent.session.unsent
    pair.clock.pass(silence * 5, () => {
      pair.agentEnd.deliver(1000)
      pair.hubEnd.deliver()
    })
    t.ok(pair.agent.session.unsent > before, 'this end sees nothing of it')
    t.notOk(pair.agent.session.isOver)
    t.end()
  })

  await t.test('pings that nobody reads the answers of leave one answer waiting', t => {
    const { side, end, say } = withRawPeer('hub')
    end.deliver()
    for (let round = 0; round < 1000; round++) say({ kind: 'ping', received: 0 })
    t.equal(end.held, 40)
    end.deliver()
    say({ kind: 'ping', received: 0 })
    t.equal(end.held, 40, 'one that reads is answered again')
    t.notOk(side.session.isOver)
    t.end()
  })

  t.test('one that has received more than was sent', t => {
    const { side, say } = withRawPeer('hub')
    say({ kind: 'pong', received: 1_000_000 })
    t.match(side.why, 'that it has received 1000000 bytes')
    t.end()
  })
})

t.test('flow control', async t => {
  await t.test('a group whose journal is slow stands still, and no other', t => {
    const pair = SessionPair.greeted()
    pair.attach(1, megabyte)
    pair.attach(2, megabyte)
    const { session } = pair.agent
    const next = [0, 0, 0]
    const sendAll = (channel: number) => {
      while (session.maySend(channel)) session.send(write(channel, ++next[channel]!, 100_000))
      pair.deliver()
    }
    sendAll(1)
    t.equal(next[1], 11)
    t.throws(() => session.send(write(1, 12)), /would send more than the 1048576 bytes/)
    for (let round = 0; round < 100; round++) {
      sendAll(2)
      pair.hub.session.send({ kind: 'durable', channel: 2, sequence: next[2]! })
      pair.deliver()
    }
    t.equal(next[2], 1100)
    t.notOk(session.maySend(1))
    pair.clock.pass(silence * 10, () => pair.deliver())
    t.notOk(session.isOver, 'and it is not taken for silent')
    pair.hub.session.send({ kind: 'durable', channel: 1, sequence: 1 })
    pair.deliver()
    sendAll(1)
    t.equal(next[1], 12, 'one more, as one is durable')
    t.equal(session.weight(1), 11 * 100_040)
    t.equal(pair.hub.session.weight(1), 11 * 100_040)
    t.end()
  })

  await t.test('what a hub has to keep more of than is sent counts more', t => {
    const pair = SessionPair.greeted()
    pair.attach(1, megabyte)
    const { session } = pair.agent
    const place = { channel: 1, time: 0, volume: 0, offset: 0 }
    const gibibyte = 1024 * megabyte
    session.send({ kind: 'zero', ...place, length: 64 * 1024 * gibibyte, sequence: 1 })
    pair.deliver()
    t.equal(session.weight(1), 65_536 * 40)
    t.equal(pair.hub.session.weight(1), 65_536 * 40)
    t.notOk(session.maySend(1), 'not many of them at once')
    pair.hub.session.send({ kind: 'durable', channel: 1, sequence: 1 })
    pair.deliver()
    session.send({ kind: 'zero', ...place, length: gibibyte, sequence: 2 })
    session.send({ kind: 'fillZero', ...place, length: 1, sequence: 3 })
    session.send({ kind: 'unsettled', channel: 1, time: 0, reason: 'ä'.repeat(1000), sequence: 4 })
    pair.deliver()
    t.equal(session.weight(1), 40 + 40 + 1040)
    t.equal(pair.hub.session.weight(1), session.weight(1))
    t.end()
  })

  await t.test('not too much waits to be sent', t => {
    const pair = SessionPair.greeted()
    pair.attach(1, 64 * megabyte)
    const { session } = pair.agent
    let sequence = 0
    while (session.maySend(1)) session.send(write(1, ++sequence, megabyte))
    t.equal(sequence, 4)
    const before = pair.agent.drained
    pair.deliver()
    t.ok(pair.agent.drained > before, 'it is told when it is sent')
    t.ok(session.maySend(1))
    t.end()
  })

  await t.test(
    'whatever happens, an honest agent is never refused, and the hub holds the window and one message',
    t => {
      const step = fc.record({
        channel: fc.nat(2),
        what: fc.constantFrom('send', 'durable', 'deliver'),
        size: fc.nat(60_000),
      })
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 200_000 }), (steps, window) => {
          const pair = SessionPair.greeted()
          for (const channel of [1, 2, 3]) pair.attach(channel, window, channel === 3 ? 1000 : undefined)
          const sent = [0, 0, 0, 1000]
          const held = [0, 0, 0, 0]
          const arrived: number[][] = [[], [], [], []]
          let most = 0
          pair.hub.onMessage = message => {
            if (message.kind !== 'write') return
            arrived[message.channel]!.push(message.data.length + 40)
            held[message.channel]! += message.data.length + 40
            most = Math.max(most, held[message.channel]!)
          }
          for (const { channel: place, what, size } of steps) {
            const channel = place + 1
            if (what === 'send' && pair.agent.session.maySend(channel))
              pair.agent.session.send(write(channel, ++sent[channel]!, size + 1))
            else if (what === 'deliver') {
              pair.agentEnd.deliver(size * 3)
              pair.hubEnd.deliver(size)
            } else if (what === 'durable' && arrived[channel]!.length > 0) {
              const count = 1 + (size % arrived[channel]!.length)
              const released = arrived[channel]!.splice(0, count)
              held[channel]! -= released.reduce((sum, one) => sum + one, 0)
              const first = pair.hub
                .heard('write')
                .filter(one => one.channel === channel)
                .at(-1)!.sequence
              pair.hub.session.send({ kind: 'durable', channel, sequence: first - arrived[channel]!.length })
            }
          }
          pair.deliver()
          const counts = [1, 2, 3].every(channel => pair.hub.session.weight(channel) === held[channel])
          return !pair.agent.session.isOver && !pair.hub.session.isOver && most < window + 60_041 && counts
        }),
        { numRuns: 300 },
      )
      t.end()
    },
  )

  await t.test('an agent that does not keep to it', t => {
    const cases: Record<string, [Message[], RegExp]> = {
      'more than its window': [[write(1, 1, megabyte), write(1, 2)], /more than the 1048576 bytes/],
      'a gap': [[write(1, 1), write(1, 3)], /sequence 3 after 1/],
      'the same again': [[write(1, 1), write(1, 1)], /sequence 1 after 1/],
      'no such channel': [[write(2, 1)], /'write' for no channel/],
      'a channel again': [[attach(1)], /channel 1 again/],
      'before it is let to': [[attach(2), write(2, 1)], /'write' before the channel is open/],
      'what a hub says': [[{ kind: 'durable', channel: 1, sequence: 1 }], /'durable', which may not come now/],
    }
    for (const [what, [messages, why]] of Object.entries(cases)) {
      const { side, say } = withRawPeer('hub')
      say(attach(1))
      side.session.send(attached(1))
      say(...messages)
      t.equal(side.ends[0]?.code, 'protocol')
      t.match(side.why, why, what)
    }
    t.end()
  })

  await t.test('a hub that does not keep to it', t => {
    const cases: Record<string, [Message[], RegExp]> = {
      'what was not sent': [[{ kind: 'durable', channel: 1, sequence: 3 }], /that 3 is durable, which was not sent/],
      'no such channel': [[{ kind: 'durable', channel: 2, sequence: 1 }], /'durable' for no channel/],
      'attached again': [[attached(1)], /'attached' for a channel that is open/],
      'what an agent says': [[write(1, 1)], /'write', which may not come now/],
    }
    for (const [what, [messages, why]] of Object.entries(cases)) {
      const { side, say } = withRawPeer('agent')
      side.session.send(attach(1) as SessionMessage)
      say(attached(1))
      for (const sequence of [1, 2]) side.session.send(write(1, sequence))
      say(...messages)
      t.equal(side.ends[0]?.code, 'protocol')
      t.match(side.why, why, what)
    }
    t.end()
  })

  await t.test('a stream that goes on', t => {
    const { side, say } = withRawPeer('agent')
    side.session.send(attach(1) as SessionMessage)
    say(attached(1, megabyte, 700), { kind: 'durable', channel: 1, sequence: 700 })
    t.throws(() => side.session.send(write(1, 700)), /sequence 700, which is durable already/)
    t.ok(side.session.send(write(1, 701)))
    say({ kind: 'durable', channel: 1, sequence: 701 }, { kind: 'durable', channel: 1, sequence: 701 })
    t.equal(side.session.weight(1), 0)
    t.notOk(side.session.isOver)
    t.end()
  })

  await t.test('what is under way when a channel is closed is late, and no fault', t => {
    const pair = SessionPair.greeted()
    pair.attach(1)
    for (const sequence of [1, 2, 3]) pair.agent.session.send(write(1, sequence))
    pair.agentEnd.deliver(4136)
    pair.hub.session.send({ kind: 'stopped', channel: 1, code: 'full', message: 'no space' })
    t.notOk(pair.hub.session.send({ kind: 'durable', channel: 1, sequence: 1 }), 'the hub has closed it')
    pair.deliver()
    t.equal(pair.hub.heard('write').length, 1)
    t.equal(pair.agent.heard('stopped').length, 1)
    t.notOk(pair.agent.session.maySend(1))
    t.notOk(pair.agent.session.send(write(1, 4)), 'and so has the agent')
    pair.attach(2)
    t.ok(pair.agent.session.send(write(2, 1)))
    pair.agent.session.send(attach(3) as SessionMessage)
    pair.deliver()
    pair.agent.session.send({ kind: 'detach', channel: 3 })
    pair.hub.session.send(attached(3))
    pair.agent.session.send({ kind: 'detach', channel: 2 })
    pair.hub.session.send({ kind: 'stopped', channel: 2, code: 'full', message: 'no space' })
    pair.deliver()
    t.same(
      pair.agent.heard('attached').map(({ channel }) => channel),
      [1, 2],
      'not that which it has taken back',
    )
    t.equal(pair.hub.heard('write').length, 2)
    t.notOk(pair.hub.session.isOver)
    t.notOk(pair.agent.session.isOver)
    t.end()
  })

  t.test('what was heard may be kept', t => {
    const pair = SessionPair.greeted()
    pair.attach(1)
    pair.agent.session.send(write(1, 1, 20_000))
    pair.agent.session.send(write(1, 2, 10))
    pair.deliver(20_000)
    const [first, second] = pair.hub.heard('write')
    t.ok(first!.data.every(byte => byte === 1))
    t.ok(second!.data.every(byte => byte === 2))
    t.end()
  })
})

t.test('requests', async t => {
  const read = (channel: number, length = 512) =>
    ({ kind: 'readRequest', channel, volume: 0, offset: 0, length }) as const

  await t.test('are answered, both ways', async t => {
    const pair = SessionPair.greeted()
    pair.attach(1)
    pair.hub.answer = async request =>
      request.kind === 'digestsRequest' ? Buffer.alloc(64, 5) : { echo: 'arguments' in request ? request.arguments : 0 }
    pair.agent.answer = async request => {
      if (request.kind === 'readRequest') return Buffer.alloc(request.length, 3)
      throw new ReplicationError('not-allowed', `no right to ${request.kind}`)
    }
    const digests = pair.agent.session.askBytes({
      kind: 'digestsRequest',
      channel: 1,
      volume: 0,
      offset: 65536,
      length: 65537,
    })
    const status = pair.agent.session.ask({ kind: 'command', channel: 0, execute: 'status', arguments: [1] })
    const bytes = pair.hub.session.askBytes(read(1))
    const refused = outcome(
      pair.hub.session.ask({
        kind: 'writeRequest',
        channel: 1,
        volume: 0,
        offset: 0,
        data: Buffer.alloc(5),
      }),
    )
    const unknown = outcome(pair.hub.session.askBytes(read(9)))
    await pair.settle()
    t.equal((await digests).length, 64)
    t.same(await status, { echo: [1] })
    t.ok(Buffer.from(await bytes).equals(Buffer.alloc(512, 3)))
    t.match(await refused, { name: 'ReplicationError', code: 'not-allowed', message: 'no right to writeRequest' })
    t.match(await unknown, { code: 'not-found', message: 'there is no channel 9' })
    t.notOk(pair.hub.session.isOver)
  })

  await t.test('any number, one after the other', async t => {
    const pair = SessionPair.greeted()
    for (let count = 0; count < 300; count++) {
      const asked = pair.agent.session.ask({ kind: 'command', channel: 0, execute: 'x', arguments: count })
      await pair.settle()
      if ((await asked) !== 'yes') t.fail(`at ${count}`)
    }
    t.equal(pair.hub.session.isOver, false)
  })

  await t.test('8 of one channel at a time; another one has its own', async t => {
    const pair = SessionPair.greeted()
    pair.attach(1)
    pair.attach(2)
    const open: (() => void)[] = []
    let most = 0
    pair.agent.answer = async request => {
      if (request.channel === 2) return Buffer.alloc(512)
      await new Promise<void>(resolve => {
        most = Math.max(most, open.push(resolve))
      })
      return Buffer.alloc(512)
    }
    const hung = Array.from({ length: 20 }, () => pair.hub.session.askBytes(read(1)))
    await pair.settle()
    t.equal(open.length, 8)
    const other = pair.hub.session.askBytes(read(2))
    await pair.settle()
    t.equal((await other).length, 512)
    while (open.length > 0) {
      for (const resolve of open.splice(0)) resolve()
      await pair.settle()
    }
    await Promise.all(hung)
    t.equal(most, 8)
  })

  await t.test('one that asks more at a time', async t => {
    const { side, say } = withRawPeer('hub')
    side.answer = () => new Promise(() => {})
    for (let request = 1; request <= 9; request++)
      say({ kind: 'command', channel: 0, request, execute: 'x', arguments: 1 })
    t.match(side.why, 'more than 8 requests of one channel at a time')
  })

  await t.test('all channels together are bounded too', async t => {
    const { side, say, allSaid } = withRawPeer('hub')
    const signals: AbortSignal[] = []
    side.answer = (_request, gone) => new Promise(() => signals.push(gone))
    for (let channel = 1; channel <= 40; channel++) {
      say(attach(channel))
      for (let request = 1; request <= 8; request++)
        say({ kind: 'command', channel, request: channel * 8 + request, execute: 'x', arguments: 1 })
    }
    t.equal(signals.length, 256)
    t.match(allSaid(), 'ask later')
    t.notOk(side.session.isOver)
    side.session.close()
    t.ok(
      signals.every(({ aborted }) => aborted),
      'and hear when it is over',
    )
  })

  await t.test('a time limit, and an answer that comes after it', async t => {
    const pair = SessionPair.greeted()
    let answer: (value: unknown) => void = () => {}
    pair.hub.answer = () =>
      new Promise(resolve => {
        answer = resolve
      })
    const command = { kind: 'command', channel: 0, execute: 'x', arguments: 1 } as const
    const late = pair.agent.session.ask(command, { timeout: 20 })
    pair.deliver()
    await t.rejects(late, { code: 'lost', message: 'command was not done within 20 ms' })
    answer('late')
    await pair.settle()
    const next = pair.agent.session.ask(command)
    pair.deliver()
    answer('in time')
    await pair.settle()
    t.equal(await next, 'in time')
    t.notOk(pair.agent.session.isOver)
  })

  await t.test('answers that are none', async t => {
    const bytes = (request: number, size: number): Message => ({
      kind: 'bytes',
      channel: 1,
      request,
      data: Buffer.alloc(size),
    })
    const cases: Record<string, [Message, RegExp]> = {
      'too short': [bytes(1, 511), /511 bytes as an answer to readRequest/],
      'too long': [bytes(1, 513), /513 bytes as an answer to readRequest/],
      'of another kind': [
        { kind: 'done', channel: 1, request: 1, result: 1 },
        /'done' where readRequest asks for bytes/,
      ],
      'to nothing': [bytes(2, 512), /request 2, which is none/],
      'on another channel': [{ ...bytes(1, 512), channel: 2 } as Message, /request 1, which is none/],
    }
    for (const [what, [answer, why]] of Object.entries(cases)) {
      const { side, say } = withRawPeer('agent')
      side.session.send(attach(1) as SessionMessage)
      const asked = outcome(side.session.askBytes(read(1)))
      // it is sent in a moment
      await Promise.resolve()
      say(answer)
      t.match(side.why, why, what)
      t.match(await asked, { code: 'lost' })
    }
  })

  await t.test('what cannot be said in an answer', async t => {
    const pair = SessionPair.greeted()
    pair.hub.answer = async () => 'x'.repeat(100_000)
    const asked = outcome(pair.agent.session.ask({ kind: 'command', channel: 0, execute: 'x', arguments: 1 }))
    await pair.settle()
    t.match(await asked, { message: /100013 bytes/ })
    t.notOk(pair.hub.session.isOver)
  })

  await t.test('answers that are not read are not made', async t => {
    const { side, say, end } = withRawPeer('hub')
    let made = 0
    side.answer = async request => {
      made++
      return Buffer.alloc((request as { length: number }).length)
    }
    for (let channel = 1; channel <= 30; channel++) say(attach(channel))
    end.deliver()
    for (let channel = 1; channel <= 30; channel++)
      for (let one = 1; one <= 8; one++) {
        say({ kind: 'readRequest', channel, request: channel * 8 + one, volume: 0, offset: 0, length: megabyte })
        for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      }
    t.equal(made, 8, 'no more than may wait')
    t.ok(end.held < 10 * megabyte)
    for (let round = 0; round < 300 && made < 240; round++) {
      end.deliver()
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal(made, 240, 'and all as soon as they are read')
  })

  t.test('a connection that ends', async t => {
    const pair = SessionPair.greeted()
    pair.hub.answer = () => new Promise(() => {})
    const asked = outcome(pair.agent.session.ask({ kind: 'command', channel: 0, execute: 'x', arguments: 1 }))
    await pair.settle()
    pair.agentEnd.abort()
    t.match(await asked, { code: 'lost', message: /command was not answered: the hub is gone/ })
    await t.rejects(pair.agent.session.ask({ kind: 'command', channel: 0, execute: 'x', arguments: 1 }), {
      code: 'lost',
    })
    t.notOk(pair.agent.session.send({ kind: 'report', volumes: [] }))
  })
})

t.test('the end', async t => {
  await t.test('the other end is told why', t => {
    const pair = SessionPair.greeted()
    pair.hub.session.close('fenced', 'another hub has the folder')
    pair.deliver()
    t.equal(pair.agent.ends[0]?.code, 'fenced')
    t.equal(pair.agent.why, 'the hub has ended the connection: another hub has the folder')
    t.same(
      pair.hub.ends.map(({ code }) => code),
      ['fenced'],
    )
    t.equal(pair.clock.timers, 0)
    t.end()
  })

  await t.test('one that does not take the reason is left', t => {
    const pair = SessionPair.greeted()
    pair.hub.session.close()
    t.notOk(pair.agentEnd.isClosed)
    pair.clock.pass(2000)
    t.ok(pair.agentEnd.isClosed)
    t.equal(pair.clock.timers, 0)
    t.end()
  })

  for (const how of ['throws', 'closes'])
    await t.test(`its user ends it in the middle of a piece: it ${how}`, t => {
      const pair = SessionPair.greeted()
      pair.attach(1)
      pair.hub.onMessage = message => {
        if (message.kind !== 'write' || message.sequence !== 2) return
        if (how === 'throws') throw new ReplicationError('damaged', 'the journal is damaged')
        pair.hub.session.close('damaged', 'the journal is damaged')
      }
      for (const sequence of [1, 2, 3]) pair.agent.session.send(write(1, sequence))
      pair.deliver()
      t.equal(pair.hub.heard('write').length, 2, 'nothing comes after it')
      t.equal(pair.agent.ends[0]?.code, 'damaged')
      t.match(pair.agent.why, 'the journal is damaged')
      t.end()
    })

  await t.test('its user fails: by an error of the system, or a bug', t => {
    for (const error of [
      Object.assign(new Error('ENOSPC: no space left'), { syscall: 'write' }),
      new TypeError('a bug'),
    ]) {
      const pair = SessionPair.greeted()
      pair.hub.onMessage = () => {
        throw error
      }
      pair.agent.session.send({ kind: 'report', volumes: [] })
      if (error instanceof TypeError) t.throws(() => pair.agentEnd.deliver(), error)
      pair.deliver()
      t.equal(pair.agent.ends[0]?.code, 'file-failed')
      t.match(pair.agent.why, `the hub failed: ${error.message}`)
    }
    t.end()
  })

  t.test('a code that this version does not know', t => {
    const { side, say } = withRawPeer('agent')
    say({ kind: 'goodbye', code: 'new-thing', message: 'who knows' })
    t.equal(side.ends[0]?.code, 'lost')
    t.match(side.why, 'who knows')
    t.end()
  })
})
