import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Agent, HubServer } from 'xenlight/replication'
import { eventually } from '../../protocol-d/eventually.js'
import { realPart } from '../../support/real-part.js'
import { RunningGuest, statesOf } from './running-guest.js'

const mebibyte = 1024 * 1024

/** A way to a socket that carries so many bytes a second, and holds little. */
async function slowWay(path: string, to: string, rate: number): Promise<Server> {
  const server = createServer(socket => {
    const hub = connect(to)
    const brake = new Transform({
      async transform(bytes: Buffer, _, done) {
        await delay((bytes.length / rate) * 1000)
        done(undefined, bytes)
      },
    })
    pipeline(socket, brake, hub, socket).catch(() => {})
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  return server
}

t.test(
  'a disk is copied over a link that takes much longer than the deadline for it, and the guest waits less',
  async t => {
    const guest = new RunningGuest(t, { disks: 1, size: 8 * mebibyte, deadline: '2s', memory: mebibyte / 2 })
    const isThere = await realPart(t, async () => {
      await guest.start()
      return true
    })
    if (isThere !== true) return
    // 6 s at this rate
    await guest.io('root', 'write -P 90 1M 6M')
    const way = await slowWay(join(guest.folder, 's'), join(guest.folder, 'h'), mebibyte)
    t.teardown(() => way.close())
    await using _ = await HubServer.open(guest.hub)
    await using agent = await Agent.open({ ...guest.agent, hub: { path: join(guest.folder, 's') } })
    let longest = 0
    let wrote = { number: guest.reported(), at: performance.now() }
    await eventually('the disk is protected', () => {
      const number = guest.reported()
      if (number === wrote.number) longest = Math.max(longest, performance.now() - wrote.at)
      else wrote = { number, at: performance.now() }
      return statesOf(agent.status).every(({ state }) => state === 'protected')
    })
    t.comment(`${Math.round(longest)} ms was the longest that the guest waited`)
    t.ok(longest < 2500, 'no longer than the deadline')
  },
)
