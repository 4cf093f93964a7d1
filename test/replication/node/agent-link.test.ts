import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { AgentLink, type AgentLinkOptions } from '#xenlight/replication/node/agent-link.js'
import {
  HubListener,
  type HubListenerEvents,
  type HubListenerOptions,
} from '#xenlight/replication/node/hub-listener.js'
import { ReplicationError } from '#xenlight/replication/replication-error.js'
import { encodeMessage } from '#xenlight/replication/wire/message-codec.js'
import type { Session, SessionMessage, SessionUser } from '#xenlight/replication/wire/session.js'
import { eventually } from '../../protocol-d/eventually.js'
import { realPart } from '../../support/real-part.js'
import { newAuthority } from './certificates.js'

const megabyte = 1024 * 1024
const uuid = '123e4567-e89b-42d3-a456-426614174000'
const quick = { first: 10, most: 40 }

const userOf = (
  onMessage: (message: SessionMessage) => void,
  onEnd: (why: ReplicationError) => void = () => {},
): SessionUser => ({
  message: onMessage,
  request: async request => (request.kind === 'readRequest' ? Buffer.alloc(request.length, 7) : 'done'),
  ended: onEnd,
})

function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'agent-link-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hub')
}

/** A hub that lets everybody in, attaches everything, and says that all is durable. */
async function startHub(t: Test, options: Partial<HubListenerOptions> = {}, events: Partial<HubListenerEvents> = {}) {
  const refused: string[] = []
  const arrived: SessionMessage[] = []
  const ended: string[] = []
  const hub = await HubListener.listen(
    { name: 'hub1', address: { port: 0 }, ...options },
    {
      refused: why => refused.push(why),
      connected: (session, agent) =>
        userOf(
          message => {
            arrived.push(message)
            if (message.kind === 'attach')
              session.send({
                kind: 'attached',
                channel: message.channel,
                epoch: 0,
                replica: uuid,
                holds: false,
                window: 8 * megabyte,
              })
            else if ('sequence' in message && message.kind !== 'durable')
              session.send({ kind: 'durable', channel: message.channel, sequence: message.sequence })
          },
          why => ended.push(`${agent}: ${why.message}`),
        ),
      ...events,
    },
  )
  t.teardown(() => hub.close())
  return { hub, refused, arrived, ended }
}

function startAgent(t: Test, options: Partial<AgentLinkOptions> & Pick<AgentLinkOptions, 'hub'>) {
  const lost: ReplicationError[] = []
  const sessions: Session[] = []
  const heard: SessionMessage[] = []
  const hubs: string[] = []
  const link = new AgentLink(
    { name: 'host1', retry: quick, ...options },
    {
      connected(session, hub) {
        sessions.push(session)
        hubs.push(hub)
        return userOf(message => heard.push(message))
      },
      lost: why => lost.push(why),
    },
  )
  t.teardown(() => link.close())
  return { link, lost, sessions, heard, hubs }
}

/** Passes everything on, until it is told to stop, in one direction or both. */
async function startRelay(t: Test, port: number) {
  const sockets: Socket[] = []
  let frozen: 'no' | 'both' | 'toHub' = 'no'
  const server: Server = createServer(agent => {
    const hub = connect(port, '127.0.0.1')
    sockets.push(agent, hub)
    for (const [from, to] of [
      [agent, hub],
      [hub, agent],
    ] as const) {
      from.on('error', () => {})
      from.on('data', bytes => {
        if (frozen === 'both' || (frozen === 'toHub' && from === agent)) from.pause()
        else to.write(bytes)
      })
      from.once('close', () => frozen === 'no' && to.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as { port: number }).port,
    freeze(how: 'both' | 'toHub') {
      frozen = how
      for (const [index, socket] of sockets.entries()) if (how === 'both' || index % 2 === 0) socket.pause()
    },
    cut() {
      for (const socket of sockets.splice(0)) socket.destroy()
      frozen = 'no'
    },
  }
}

t.test('they meet, and what is sent is acknowledged', async t => {
  for (const address of [{ port: 0 }, { path: socketPath(t) }]) {
    const { hub, arrived } = await startHub(t, { address })
    const { link, sessions, heard, hubs } = startAgent(t, { hub: hub.address })
    t.equal(link.why, 'it was not connected yet')
    await eventually('it is connected', () => sessions.length === 1)
    t.equal(link.why, undefined)
    t.same(hubs, ['hub1'])
    t.same([...hub.agents.keys()], ['host1'])
    const session = sessions[0]!
    session.send({ kind: 'attach', channel: 1, group: 'g', epoch: 0, stream: uuid, oldest: 1, volumes: [] })
    await eventually('it is attached', () => heard.some(({ kind }) => kind === 'attached'))
    let sequence = 0
    await eventually('all is durable', () => {
      while (sequence < 200 && session.maySend(1)) {
        const data = Buffer.alloc(sequence % 3 === 0 ? 300_000 : 4096, ++sequence)
        session.send({ kind: 'write', channel: 1, sequence, time: 1, volume: 0, offset: 0, data })
      }
      return heard.some(message => message.kind === 'durable' && message.sequence === 200)
    })
    const isWhole = (one: SessionMessage) => 'data' in one && one.data.every(byte => byte === one.sequence % 256)
    const writes = arrived.filter(message => message.kind === 'write')
    t.equal(writes.length, 200)
    t.ok(writes.every(isWhole))
    t.equal(await session.ask({ kind: 'command', channel: 0, execute: 'x', arguments: 1 }), 'done')
    const bytes = await hub.agents
      .get('host1')!
      .askBytes({ kind: 'readRequest', channel: 1, volume: 0, offset: 0, length: megabyte })
    t.equal(bytes.length, megabyte)
    await link.close()
    await eventually('the hub has noticed', () => hub.agents.size === 0)
    await hub.close()
  }
})

t.test('the hub comes and goes', async t => {
  const path = socketPath(t)
  const { link, lost, sessions } = startAgent(t, { hub: { path } })
  await eventually('it has tried', () => lost.length >= 3)
  t.ok(lost.every(({ code }) => code === 'lost'))
  t.match(lost[0]!.message, `cannot reach the hub at ${path}: there is no such socket: does the hub run?`)
  t.equal(link.why, lost.at(-1)!.message)
  for (let round = 1; round <= 3; round++) {
    const { hub } = await startHub(t, { address: { path } })
    await eventually('it is connected', () => sessions.length === round)
    const before = lost.length
    await hub.close()
    await eventually('it is lost', () => lost.length > before)
    t.equal(lost[before]!.message, 'the hub has ended the connection: the hub is closed')
    t.equal(link.session, undefined)
  }
  await link.close()
  const tries = lost.length
  await delay(100)
  t.equal(lost.length, tries, 'closed, it tries no more')
})

t.test('several hubs, of which one serves', async t => {
  const paths = [socketPath(t), socketPath(t), socketPath(t)]
  const { link, lost, sessions, hubs } = startAgent(t, { hub: paths.map(path => ({ path })) })
  await eventually('it has tried', () => lost.length >= 6)
  for (const path of paths)
    t.ok(
      lost.some(({ message }) => message.includes(path)),
      'each of them',
    )
  for (const place of [2, 0, 1, 1]) {
    const address = { path: paths[place]! }
    const before = sessions.length
    const { hub } = await startHub(t, { address, name: `hub${place}` })
    await eventually('it is connected', () => sessions.length > before)
    t.equal(hubs.at(-1), `hub${place}`)
    t.strictSame(link.address, address)
    await hub.close()
  }
  t.throws(() => new AgentLink({ name: 'a', hub: [] }, { connected: () => userOf(() => {}), lost() {} }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})

t.test('it waits longer each time, and begins anew after a good connection', async t => {
  const times: number[] = []
  let isGood = false
  const server = createServer(socket => {
    times.push(performance.now())
    socket.on('error', () => {})
    if (!isGood) socket.destroy()
    else socket.write(encodeMessage({ kind: 'welcome', version: 1, hub: 'h' }))
    // one that is good holds for a while
    if (isGood) setTimeout(() => socket.destroy(), 250)
    isGood = false
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const { link, sessions } = startAgent(t, { hub: { port }, retry: { first: 20, most: 60_000, goodAfter: 200 } })
  await eventually('it has tried often', () => times.length >= 7)
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  for (const [index, gap] of gaps.entries()) {
    const least = (20 * 2 ** index) / 2
    t.ok(gap >= least - 2, `gap ${index}: ${gap.toFixed(0)} ms, at least ${least}`)
  }
  isGood = true
  await eventually('it was connected', () => sessions.length === 1)
  const count = times.length
  await eventually('it has tried again', () => times.length >= count + 2)
  const waited = times[count]! - times[count - 1]! - 250
  const least = (20 * 2 ** (count - 1)) / 2
  t.ok(waited < least, `${waited.toFixed(0)} ms after a good one, and else at least ${least}`)
  await link.close()
})

t.test('a frozen, a half-open and a cut way to the hub', async t => {
  for (const how of ['both', 'toHub', 'cut'] as const) {
    const { hub, ended } = await startHub(t, { silence: 600 })
    const relay = await startRelay(t, (hub.address as { port: number }).port)
    const { link, lost, sessions } = startAgent(t, { hub: { port: relay.port }, silence: 600 })
    await eventually('it is connected', () => sessions.length === 1)
    await delay(1500)
    t.equal(lost.length, 0, 'it stays connected')
    if (how === 'cut') relay.cut()
    else relay.freeze(how)
    const began = performance.now()
    await eventually('both have noticed', () => lost.length > 0 && ended.length > 0)
    t.ok(performance.now() - began < 5000)
    t.match(
      lost[0]!.message,
      how === 'cut' ? /the connection was closed|ECONNRESET/ : /it is silent/,
      `${how}: ${lost[0]!.message}`,
    )
    relay.cut()
    await eventually('it is connected again', () => sessions.length > 1 && link.session !== undefined)
    await link.close()
    await hub.close()
  }
})

t.test('an agent that comes again takes its own place', async t => {
  const { hub, ended } = await startHub(t)
  const first = startAgent(t, { hub: hub.address, retry: { first: 60_000, most: 60_000 } })
  await eventually('it is connected', () => first.sessions.length === 1)
  const second = startAgent(t, { hub: hub.address })
  await eventually('the second is connected', () => second.sessions.length === 1 && first.lost.length === 1)
  t.match(first.lost[0]!.message, 'another connection of host1 has come: is there a second agent so named?')
  t.same([...hub.agents.keys()], ['host1'])
  t.equal(ended.length, 1)
  t.notOk(second.link.session!.isOver)
})

t.test('who is not let in', async t => {
  await t.test('by name, or by number', async t => {
    const admit = (agent: string) => {
      if (agent === 'evil') throw new ReplicationError('not-allowed', `${agent} is not one of this hub's agents`)
    }
    const { hub, refused } = await startHub(t, { agentsAtMost: 1 }, { admit })
    const evil = startAgent(t, { name: 'evil', hub: hub.address })
    await eventually('it is refused', () => evil.lost.length > 0)
    t.equal(evil.lost[0]!.code, 'not-allowed')
    t.match(evil.lost[0]!.message, "evil is not one of this hub's agents")
    t.match(refused[0], "evil is not one of this hub's agents")
    const good = startAgent(t, { hub: hub.address })
    await eventually('it is connected', () => good.sessions.length === 1)
    const other = startAgent(t, { name: 'host2', hub: hub.address })
    await eventually('it is refused', () => other.lost.length > 0)
    t.match(other.lost[0]!.message, 'the hub has 1 agents, and takes no more')
  })

  await t.test('a hub of another name', async t => {
    const { hub } = await startHub(t)
    const { lost, sessions } = startAgent(t, { hub: hub.address, hubName: 'hub2' })
    await eventually('it is refused', () => lost.length > 0)
    t.match(lost[0], { code: 'not-allowed', message: 'the hub calls itself hub1, and is to be hub2' })
    t.equal(sessions.length, 0)
  })

  await t.test('strangers that say nothing, little, or garbage', async t => {
    const { hub, refused } = await startHub(t, { greetTimeout: 300, strangersAtMost: 4, silence: 60_000 })
    const { port } = hub.address as { port: number }
    const visit = (bytes?: Uint8Array) => {
      const socket = connect(port, '127.0.0.1')
      const visitor = { isGone: false, heard: '' }
      socket.on('error', () => {})
      socket.on('data', data => {
        visitor.heard += data.toString('latin1')
      })
      socket.once('close', () => {
        visitor.isGone = true
      })
      t.teardown(() => socket.destroy())
      if (bytes !== undefined) socket.write(bytes)
      return visitor
    }
    const silent = visit()
    const slow = visit(Buffer.from('xlR1'))
    const garbage = visit(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n'))
    const old = visit(encodeMessage({ kind: 'hello', version: 0, agent: 'old' }))
    const visitors = [silent, slow, garbage, old]
    await eventually('all are gone', () => visitors.every(({ isGone }) => isGone))
    t.match(silent.heard, 'it has not greeted in time')
    t.match(slow.heard, 'it has not greeted in time')
    t.match(garbage.heard, 'what is not this protocol')
    t.match(old.heard, 'update the agent')
    t.equal(refused.length, 4)

    const crowd = Array.from({ length: 12 }, () => visit())
    await eventually('the first of many are sent away', () => crowd.slice(0, 8).every(({ isGone }) => isGone))
    t.match(crowd[0]!.heard, 'too many others wait to be let in')
    const { sessions } = startAgent(t, { hub: hub.address })
    await eventually('an agent gets in', () => sessions.length === 1)
    await delay(500)
    t.notOk(sessions[0]!.isOver, 'and is no stranger any more')
    const last = visit()
    await delay(50)
    await hub.close()
    await eventually('who waits is told', () => last.isGone)
    t.match(last.heard, 'the hub is closed')
  })
})

t.test('large frames of a stranger take no memory', async t => {
  const { hub } = await startHub(t, { greetTimeout: 60_000 })
  const { port } = hub.address as { port: number }
  const large = encodeMessage({
    kind: 'write',
    channel: 1,
    sequence: 1,
    time: 0,
    volume: 0,
    offset: 0,
    data: Buffer.alloc(megabyte),
  })
  let gone = 0
  for (let visitor = 0; visitor < 20; visitor++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.once('close', () => gone++)
    socket.write(large.subarray(0, -1))
    socket.resume()
  }
  await eventually('all are sent away at once', () => gone === 20)
})

t.test('TLS', async t => {
  const authority = await realPart(t, () => newAuthority(t))
  if (authority === undefined) return
  const hubTls = authority.sign('hub1')
  const hostTls = authority.sign('host1')

  await t.test('each has the name of its certificate', async t => {
    const { hub } = await startHub(t, { tls: hubTls })
    const { sessions } = startAgent(t, { hub: hub.address, hubName: 'hub1', tls: hostTls })
    await eventually('it is connected', () => sessions.length === 1)
    const bytes = await hub.agents
      .get('host1')!
      .askBytes({ kind: 'readRequest', channel: 0, volume: 0, offset: 0, length: megabyte })
    t.equal(bytes.length, megabyte)
    const alternative = startAgent(t, {
      name: 'host2',
      hub: hub.address,
      tls: authority.sign('x', 'DNS:host2,DNS:host3'),
    })
    await eventually('by another name too', () => alternative.sessions.length === 1)
    t.same([...hub.agents.keys()].sort(), ['host1', 'host2'])
  })

  await t.test('no other name', async t => {
    const { hub, refused } = await startHub(t, { tls: hubTls })
    for (const [name, tls] of [
      ['host2', hostTls],
      ['HOST1', hostTls],
      ['a.example.org', authority.sign('*.example.org')],
    ] as const) {
      const { lost } = startAgent(t, { name, hub: hub.address, tls, retry: { first: 60_000 } })
      await eventually('it is refused', () => lost.length > 0)
      t.equal(lost[0]!.code, 'not-allowed')
      t.match(lost[0]!.message, `the agent calls itself ${name}, and its certificate is not of that name`)
    }
    t.equal(refused.length, 3)
    t.equal(hub.agents.size, 0)
  })

  await t.test('an agent is no hub', async t => {
    const { hub } = await startHub(t, { tls: authority.sign('host2') })
    const { lost } = startAgent(t, { hub: hub.address, tls: hostTls })
    await eventually('it is not believed', () => lost.length > 0)
    t.match(lost[0], {
      code: 'not-allowed',
      message: /the hub calls itself hub1, and its certificate is not of that name/,
    })
  })

  await t.test('no certificate, or that of another authority, or no TLS', async t => {
    const { hub, refused } = await startHub(t, { tls: hubTls, greetTimeout: 500 })
    const other = newAuthority(t).sign('host1')
    const stranger = startAgent(t, { hub: hub.address, tls: { ...other, ca: hubTls.ca } })
    const plain = startAgent(t, { hub: hub.address })
    await eventually('both are refused', () => stranger.lost.length > 0 && plain.lost.length > 0)
    t.match(plain.lost[0]!.message, /before it greeted: do both ends have TLS, or neither\?/)
    const { port } = hub.address as { port: number }
    const anonymous = connectTls({ host: '127.0.0.1', port, ca: hubTls.ca, checkServerIdentity: () => undefined })
    anonymous.on('error', () => {})
    anonymous.write(encodeMessage({ kind: 'hello', version: 1, agent: 'host1' }))
    await new Promise(resolve => anonymous.once('close', resolve))
    const silent = connect(port, '127.0.0.1')
    silent.on('error', () => {})
    await new Promise(resolve => silent.once('close', resolve))
    t.equal(stranger.sessions.length + plain.sessions.length + hub.agents.size, 0)
    t.ok(refused.length >= 3)
    const tls = startAgent(t, { hub: (await startHub(t)).hub.address, tls: hostTls })
    await eventually('one with TLS finds none', () => tls.lost.length > 0)
    t.match(tls.lost[0]!.message, /cannot reach the hub at 127.0.0.1/)
  })

  t.test('certificates that are none', async t => {
    const tls = { ...hostTls, key: hubTls.key }
    t.throws(
      () => new AgentLink({ name: 'a', hub: { port: 1 }, tls }, { connected: () => userOf(() => {}), lost() {} }),
      {
        name: 'LinkError',
      },
    )
    await t.rejects(startHub(t, { tls }), { name: 'LinkError' })
  })
})

t.test('where nobody can listen', async t => {
  const { hub } = await startHub(t)
  const { port } = hub.address as { port: number }
  await t.rejects(startHub(t, { address: { port } }), {
    code: 'EADDRINUSE',
    message: /cannot listen for agents at 127.0.0.1/,
  })
})

t.test('a connection that is never made', async t => {
  // a full queue of a listener that accepts nobody: a TLS hub that never answers
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const authority = await realPart(t, () => newAuthority(t))
  if (authority === undefined) return
  const { lost } = startAgent(t, { hub: { port }, tls: authority.sign('host1'), connectTimeout: 100 })
  await eventually('it gives up', () => lost.length > 0)
  t.match(lost[0]!.message, /it was not done within 100 ms/)
})

t.test('it is closed while the hub is to greet', async t => {
  const sockets: Socket[] = []
  const server = createServer(socket => sockets.push(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as { port: number }
  const { link, lost } = startAgent(t, { hub: { port }, silence: 60_000 })
  await eventually('the agent is there', () => sockets.length > 0 && sockets[0]!.bytesRead > 0)
  let isClosed = false
  void link.close().then(() => {
    isClosed = true
  })
  await eventually('it is closed', () => isClosed)
  t.strictSame(lost, [])
})
