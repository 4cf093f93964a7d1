import { Buffer } from 'node:buffer'
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeDeadline } from '../../link/before-deadline.js'
import { closeNow } from '../../link/close-now.js'
import type { Duplex } from '../../link/duplex.js'
import { connectStream } from '../../link/node/connect-stream.js'
import { type Listener, listen } from '../../link/node/listener.js'
import { listening } from '../../link/node/listening.js'
import { acceptMutualTls, checkMutualTls, type MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { printable } from '../../printable.js'
import type { Channel } from '../node-host.js'
import type { Message } from '../stream/message.js'
import { Door } from './door.js'
import { type Open, type Opening, openingOf, protocolVersion, sayOpen } from './opening.js'
import { PeerSession } from './peer-session.js'

/** How long a connection may take to be opened, in milliseconds. */
const openTimeout = 5000
/** How many connections may be there that are no session yet. */
const doorsAtMost = 16
/** How long it waits before it connects again, in milliseconds: at first, and at most. */
const retryDelays = { first: 100, most: 2000 }
/** A connection that held so long was a good one, in milliseconds. */
const goodAfter = 5000

export interface PeerConnectionOptions {
  /** Where one node listens and the other connects to. */
  peer: { listen: SocketAddress } | { connect: SocketAddress }
  tls: MutualTls | undefined
  pair: string
  /** How long the peer may be silent, in milliseconds. */
  timeout: number
}

export interface PeerEvents {
  connected(listens: boolean): void
  message(channel: Channel, message: Message): void
  disconnected(): void
  drained(): void
  isHeld(): boolean
}

/** Keeps a connection to the peer: there is one, or it is being sought. */
export class PeerConnection {
  readonly #options: PeerConnectionOptions
  readonly #events: PeerEvents
  readonly #over = new AbortController()
  #session: PeerSession | undefined
  #listener: Listener | undefined
  /** Connections that are no session yet, the one that waits longest first. */
  readonly #doors = new Set<Door>()
  /** Sessions of which one channel is open. */
  readonly #halves = new Map<string, { opening: Opening; channel: Channel; door: Door }>()
  #delay = retryDelays.first
  /** Why there is none. */
  why = 'it was not connected yet'

  constructor(options: PeerConnectionOptions, events: PeerEvents) {
    this.#options = options
    this.#events = events
  }

  /** Where it listens; undefined where it connects. */
  get address(): SocketAddress | undefined {
    return this.#listener?.address
  }

  get unsent(): number {
    return this.#session?.unsent ?? 0
  }

  /** Begins. @throws LinkError where it cannot listen, or has no such certificates */
  async start(): Promise<void> {
    const { peer, tls } = this.#options
    if (tls !== undefined) checkMutualTls(tls)
    if ('connect' in peer) {
      void this.#seek(peer.connect)
      return
    }
    const wrap = tls && acceptMutualTls(tls)
    const listener = listen(peer.listen, (duplex, upgrade) => void this.#accept(duplex, wrap && (() => upgrade(wrap))))
    this.#listener = await listening('the peer', peer.listen, listener)
  }

  send(channel: Channel, message: Message): void {
    this.#session?.send(channel, message)
  }

  pause(isPaused: boolean): void {
    this.#session?.pause(isPaused)
  }

  /** Ends the session that there is; another one is sought. */
  drop(why = 'this node ended it'): void {
    this.#session?.close()
    this.#ended(why)
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the node is closed'))
    for (const door of this.#doors) door.close()
    this.#session?.close()
    this.#session = undefined
    await this.#listener?.close()
  }

  async #seek(address: SocketAddress): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        await this.#connect(address)
        return
      } catch (error) {
        this.why = printable((error as Error).message)
      }
      await this.#wait()
    }
  }

  async #wait(): Promise<void> {
    const delay = this.#delay
    this.#delay = Math.min(retryDelays.most, delay * 2)
    // where it is over, whoever waits looks for itself
    await setTimeout(delay, undefined, { signal: this.#over.signal }).catch(() => {})
  }

  async #connect(address: SocketAddress): Promise<void> {
    const { tls, pair } = this.#options
    const session = randomUUID()
    const { signal } = this.#over
    const opened: Duplex[] = []
    const open = async (channel: Channel) => {
      const duplex = await connectStream(address, { tls, signal })
      opened.push(duplex)
      const opening = openingOf(duplex)
      sayOpen(duplex, session, channel, pair)
      await opening.opened.catch(error => {
        throw new Error(
          `${(error as Error).message} at once: have both nodes one pair's name, and both TLS or neither?`,
        )
      })
      return opening
    }
    const both = Promise.all([open('data'), open('meta')])
    try {
      const [data, meta] = await beforeDeadline(both, { signal, timeout: openTimeout }, ({ why }) => new Error(why))
      this.#begin({ data, meta }, false)
    } catch (error) {
      both
        .catch(() => {})
        .finally(() => {
          for (const duplex of opened) closeNow(duplex)
        })
      for (const duplex of opened) closeNow(duplex)
      throw error
    }
  }

  /** @param secure puts TLS on the connection first */
  async #accept(duplex: Duplex, secure: (() => Promise<Duplex>) | undefined): Promise<void> {
    const door = this.#doorOf(duplex)
    try {
      const opening = openingOf(secure === undefined ? duplex : await door.through(secure()))
      this.#join(opening, await opening.opened, door)
    } catch (error) {
      door.close()
      this.#refused((error as Error).message)
    }
  }

  /** A place for somebody who is not let in yet. The one that waits longest goes: many strangers do not keep the peer out. */
  #doorOf(duplex: Duplex): Door {
    if (this.#doors.size >= doorsAtMost) [...this.#doors][0]!.close()
    const door = new Door(duplex, openTimeout, () => this.#doors.delete(door))
    this.#doors.add(door)
    if (this.#over.signal.aborted) door.close()
    return door
  }

  /** Somebody who is not the peer is news only while there is none. */
  #refused(why: string): void {
    if (this.#session === undefined) this.why = printable(`a connection was refused: ${why}`)
  }

  /** Both channels of a session make a connection. One that waits for the other is forgotten when its time is up. */
  #join(opening: Opening, { session, channel, pair, version }: Open, door: Door): void {
    if (version !== protocolVersion) throw new Error('it speaks another version of the protocol')
    if (!isSame(pair, this.#options.pair)) throw new Error("it has another pair's name")
    for (const [other, waiting] of this.#halves)
      if (waiting.door.isClosed || waiting.opening.ended !== undefined) this.#halves.delete(other)
    const half = this.#halves.get(session)
    if (half === undefined) {
      this.#halves.set(session, { opening, channel, door })
      return
    }
    if (half.channel === channel) throw new Error('it has this channel')
    this.#halves.delete(session)
    const [data, meta] = channel === 'meta' ? [half.opening, opening] : [opening, half.opening]
    const ended = data.ended ?? meta.ended
    if (ended !== undefined) throw new Error(ended)
    half.door.leave()
    door.leave()
    sayOpen(data.duplex, session, 'data', pair)
    sayOpen(meta.duplex, session, 'meta', pair)
    this.#begin({ data, meta }, true)
  }

  /** A new session takes the place of one that is still there: the peer knows better that it is over. */
  #begin({ data, meta }: Record<Channel, Opening>, listens: boolean): void {
    if (this.#session !== undefined) {
      this.#session.close()
      this.#ended('the peer has connected again')
    }
    const began = performance.now()
    const session = new PeerSession({ data, meta }, this.#options.timeout, {
      message: (channel, message) => this.#events.message(channel, message),
      isHeld: () => this.#events.isHeld(),
      lost: why => {
        if (this.#session !== session) return
        if (performance.now() - began > goodAfter) this.#delay = retryDelays.first
        this.#ended(why)
      },
    })
    this.#session = session
    this.why = ''
    this.#events.connected(listens)
    for (const [channel, opening] of [
      ['data', data],
      ['meta', meta],
    ] as const)
      opening.use({
        take: message => session.take(channel, message),
        ended: why => session.fail(why),
        drained: () => this.#events.drained(),
      })
  }

  #ended(why: string): void {
    if (this.#session === undefined) return
    this.#session = undefined
    this.why = why
    this.#events.disconnected()
    const { peer } = this.#options
    if ('connect' in peer && !this.#over.signal.aborted)
      void this.#wait().then(() => (this.#session === undefined ? this.#seek(peer.connect) : undefined))
  }
}

/** Without saying by its time how much of it is right. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)]
  return first.length === second.length && timingSafeEqual(first, second)
}
