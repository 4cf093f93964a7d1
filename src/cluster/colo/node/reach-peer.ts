import { connect, type Socket } from 'node:net'
import type { OverlayFiles } from '../../../colo/rebuild/become-secondary.js'
import { ControlClient } from '../../../control/control-client.js'
import type { Duplex } from '../../../link/duplex.js'
import type { Limits } from '../../../link/limits.js'
import { LinkError } from '../../../link/link-error.js'
import { StreamDuplex } from '../../../link/node/stream-duplex.js'
import { openQmp } from '../../../qmp/client.js'
import { type Channel, greetingAtMost, newNonce, readHello, readWelcome, signed, type Visit } from '../greeting.js'
import { type Peer, PeerRefusal } from '../guest-host.js'
import { readLine } from './read-line.js'

/** How long a connection, and the greeting, may take, in milliseconds. */
const greetingTimeout = 5000
/** The longest reply, in bytes: a record, or the names of files. */
const replyAtMost = 256 * 1024

export interface PeerAddress {
  host: string
  port: number
  /** The pair's name. */
  key: string
}

/** Reaches the other node as its primary. @throws PeerRefusal; LinkError, QmpError */
export async function reachPeer(
  address: PeerAddress,
  visit: Omit<Visit, 'channel' | 'nonce'>,
  limits: Limits,
): Promise<Peer> {
  const sockets: Socket[] = []
  const open = async <Client>(channel: Channel, use: (duplex: Duplex) => Client): Promise<Awaited<Client>> => {
    const socket = await enter(address, { ...visit, channel, nonce: newNonce() })
    sockets.push(socket)
    const client = use(new StreamDuplex(socket))
    // the greeting has left it paused
    socket.resume()
    return await client
  }
  const end = () => {
    for (const socket of sockets) socket.destroy()
  }
  try {
    const errorOf = (code: string, message: string) => new LinkError(code, `the other node: ${message}`)
    const { timeout, signal } = limits
    const asked = { who: 'the other node', replyAtMost, errorOf }
    const node = await open('node', duplex => new ControlClient(duplex, asked))
    const qmp = await open('qmp', duplex => openQmp(duplex, { timeout, signal }))
    const urgent = await open('urgent', duplex => openQmp(duplex, { timeout, signal }))
    const records = {
      read: async (image: string) => ((await node.ask('read', { image }, { timeout })) as string | null) ?? undefined,
      write: async (image: string, text: string) => {
        await node.ask('write', { image, text }, { timeout })
      },
    }
    return {
      side: { qmp, urgent, records },
      prepare: async (disks, limits) => overlaysIn(await node.ask('prepare', { disks }, limits)),
      async [Symbol.asyncDispose]() {
        end()
      },
    }
  } catch (error) {
    end()
    throw error
  }
}

function overlaysIn(answer: unknown): Map<string, OverlayFiles> {
  if (!Array.isArray(answer)) throw new LinkError('EPROTO', 'the other node answers what is no answer')
  return new Map(
    answer.map((one): [string, OverlayFiles] => {
      const { disk, active, hidden } = (one ?? {}) as Record<string, unknown>
      if (typeof disk !== 'string' || typeof active !== 'string' || typeof hidden !== 'string')
        throw new LinkError('EPROTO', 'the other node answers what is no answer')
      return [disk, { active, hidden }]
    }),
  )
}

async function enter({ host, port, key }: PeerAddress, visit: Visit): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true })
  let failure: Error | undefined
  socket.on('error', error => {
    failure = error
  })
  const timer = setTimeout(() => socket.destroy(new Error('it does not answer in time')), greetingTimeout)
  try {
    const hello = readHello(await readLine(socket, greetingAtMost), key)
    if (hello === undefined) throw new Error('it is of another pair')
    socket.write(signed(visit, key, hello.nonce))
    const welcome = readWelcome(await readLine(socket, greetingAtMost), key, visit.nonce)
    if (welcome === undefined) throw new Error('it is of another pair')
    if (!welcome.isIn) throw new PeerRefusal(welcome)
    return socket
  } catch (error) {
    socket.destroy()
    if (error instanceof PeerRefusal) throw error
    const { message } = failure ?? (error as Error)
    throw new LinkError('ECONNREFUSED', `the other node at ${host}:${port}: ${message}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
