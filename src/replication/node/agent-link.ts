import { setTimeout as pause } from 'node:timers/promises'
import { wrongValue } from '../../check-argument.js'
import { deadline } from '../../link/deadline.js'
import type { Duplex } from '../../link/duplex.js'
import { connectStream } from '../../link/node/connect-stream.js'
import { checkMutualTls, type MutualTls } from '../../link/node/mutual-tls.js'
import { checkAddress, type SocketAddress } from '../../link/node/socket-address.js'
import { onAbort } from '../../link/on-abort.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import { Session, type SessionUser } from '../wire/session.js'
import { checkCertified } from './certified.js'
import { every } from './every.js'

/** How long it waits before it connects again, in milliseconds. */
export interface Retry {
  /** The first time, and the first after a good connection. 100 by default. */
  first?: number | undefined
  /** It waits twice as long each time, up to this. 2000 by default. */
  most?: number | undefined
  /** A connection that held so long was a good one. 5000 by default. */
  goodAfter?: number | undefined
}

export interface AgentLinkOptions {
  /** The agent's; over TLS that of its certificate. */
  name: string
  /** Where the hub listens; several where it may be any of them, of which one serves: they are tried one after another. */
  hub: SocketAddress | readonly SocketAddress[]
  /** The hub's name; over TLS that of its certificate. Any by default: then whoever has a certificate of the authority may be the hub. */
  hubName?: string | undefined
  tls?: MutualTls | undefined
  /** How long the hub may be silent, in milliseconds. */
  silence?: number | undefined
  /** How long a connection may take to be made, in milliseconds. 5000 by default. */
  connectTimeout?: number | undefined
  retry?: Retry | undefined
}

export interface AgentLinkEvents {
  /** There is a connection, on which nothing is attached yet. */
  connected(session: Session, hub: string): SessionUser
  /** There is none any more, or again none. Another one is sought, whatever the reason. */
  lost(why: ReplicationError): void
}

/** What may be wrong, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket: does the hub run?',
  ECONNREFUSED: 'nobody listens there: does the hub run?',
  EACCES: 'the socket is for another user',
}

/** Keeps one connection to a hub: there is one, or it is being sought. */
export class AgentLink implements AsyncDisposable {
  readonly #options: AgentLinkOptions
  readonly #events: AgentLinkEvents
  readonly #over = new AbortController()
  readonly #first: number
  readonly #most: number
  readonly #done: Promise<void>
  readonly #hubs: readonly SocketAddress[]
  /** Which of them is there, or is tried. */
  #current = 0
  #session: Session | undefined
  #delay: number
  #why: string | undefined = 'it was not connected yet'

  /** Begins to connect. @throws LinkError where the certificates cannot be used */
  constructor(options: AgentLinkOptions, events: AgentLinkEvents) {
    if (options.tls !== undefined) checkMutualTls(options.tls)
    this.#options = options
    this.#events = events
    this.#hubs = hubsOf(options.hub)
    const { first = 100, most = 2000 } = options.retry ?? {}
    this.#first = first
    this.#most = Math.max(first, most)
    this.#delay = first
    this.#done = this.#keep()
  }

  /** The connection that there is. */
  get session(): Session | undefined {
    return this.#session
  }

  /** The hub's address, of the connection that there is; of the last try where there is none. */
  get address(): SocketAddress {
    return this.#hubs[this.#current]!
  }

  /** Why there is none; undefined where there is one. */
  get why(): string | undefined {
    return this.#why
  }

  /** Ends the connection that there is; another one is made. */
  drop(why = 'the agent has ended the connection'): void {
    this.#session?.close('lost', why)
  }

  /** Ends it for good; settles when nothing more is under way. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the agent is closed'))
    await this.#done
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #keep(): Promise<void> {
    const { signal } = this.#over
    // who has made it is to have it in hand before it hears of anything
    await Promise.resolve()
    for (let tried = 1; !signal.aborted; tried++) {
      const why = await this.#once()
      if (signal.aborted) return
      this.#why = why.message
      this.#events.lost(why)
      this.#current = (this.#current + 1) % this.#hubs.length
      // where one has gone another one is sought at once
      if (tried % this.#hubs.length !== 0) continue
      // many agents of one hub do not come back at the same moment
      const delay = this.#delay * (0.5 + Math.random() / 2)
      this.#delay = Math.min(this.#most, this.#delay * 2)
      await pause(delay, undefined, { signal }).catch(() => {})
    }
  }

  /** One connection, or one that could not be made. Settles with why there is none any more. */
  async #once(): Promise<ReplicationError> {
    let duplex: Duplex
    try {
      duplex = await this.#connect()
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      const why = `cannot reach the hub at ${shownAddress(this.address)}: ${hints[code] ?? printable(message)}`
      return new ReplicationError('lost', why, { cause: error })
    }
    const { name, silence, hubName } = this.#options
    return new Promise(resolve => {
      let began: number | undefined
      let unlisten = () => {}
      // it may end before the constructor is through
      const session = new Session(
        duplex,
        { role: 'agent', name, silence, every },
        {
          admit(hub) {
            if (hubName !== undefined && hub !== hubName)
              throw new ReplicationError('not-allowed', `the hub calls itself ${hub}, and is to be ${hubName}`)
            checkCertified(duplex, 'hub', hub)
          },
          greeted: (session, hub) => {
            began = performance.now()
            this.#session = session
            this.#why = undefined
            return this.#events.connected(session, hub)
          },
          ended: why => {
            this.#session = undefined
            unlisten()
            const { goodAfter = 5000 } = this.#options.retry ?? {}
            if (began !== undefined && performance.now() - began >= goodAfter) this.#delay = this.#first
            resolve(why)
          },
        },
      )
      // also one that has not greeted yet
      const { signal } = this.#over
      if (signal.aborted) session.close()
      else unlisten = onAbort(signal, () => session.close())
    })
  }

  async #connect(): Promise<Duplex> {
    const { tls, connectTimeout = 5000 } = this.#options
    const tried = new AbortController()
    using _ = deadline({ timeout: connectTimeout, signal: this.#over.signal }, ({ why }) =>
      tried.abort(new Error(`it was ${why}`)),
    )
    return await connectStream(this.address, { tls, signal: tried.signal })
  }
}

/** @throws TypeError where there is none */
export function hubsOf(hub: SocketAddress | readonly SocketAddress[]): readonly SocketAddress[] {
  const hubs = (Array.isArray(hub) ? hub : [hub]) as readonly SocketAddress[]
  if (hubs.length === 0) throw wrongValue('hub', 'an address, or some', hub)
  for (const address of hubs) checkAddress(address)
  return hubs
}

const shownAddress = (address: SocketAddress): string =>
  'path' in address ? printable(address.path) : `${address.host ?? '127.0.0.1'}:${address.port}`
