import { closeNow } from '../../link/close-now.js'
import type { Duplex } from '../../link/duplex.js'
import { type Listener, listen } from '../../link/node/listener.js'
import { listening } from '../../link/node/listening.js'
import { acceptMutualTls, checkMutualTls, type MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import { Session, type SessionUser } from '../wire/session.js'
import { checkCertified } from './certified.js'
import { every } from './every.js'
import { type Stranger, Strangers } from './strangers.js'

export interface HubListenerOptions {
  /** The hub's; over TLS that of its certificate. */
  name: string
  address: SocketAddress
  /** Agents have to show a certificate then, and have its name. */
  tls?: MutualTls | undefined
  /** How long an agent may be silent, in milliseconds. */
  silence?: number | undefined
  /** How long it may take to greet, in milliseconds. 5000 by default. */
  greetTimeout?: number | undefined
  /** How many may be there that have not greeted. 64 by default. */
  strangersAtMost?: number | undefined
  /** How many agents may be there. 1024 by default. */
  agentsAtMost?: number | undefined
}

export interface HubListenerEvents {
  /** Whether an agent of that name is let in; over TLS it is the name of its certificate. @throws ReplicationError where it is not; it is told why */
  admit?(agent: string): void
  /** An agent has come. One of the same name that is still there is ended before: the agent knows better that it is over. */
  connected(session: Session, agent: string): SessionUser
  /** Somebody was not let in. */
  refused?(why: string): void
}

/** Where a hub's agents find it. */
export class HubListener implements AsyncDisposable {
  readonly #options: HubListenerOptions
  readonly #events: HubListenerEvents
  readonly #strangers: Strangers
  readonly #agents = new Map<string, Session>()
  #listener: Listener | undefined
  #isClosed = false

  private constructor(options: HubListenerOptions, events: HubListenerEvents) {
    const { strangersAtMost = 64, greetTimeout = 5000 } = options
    this.#options = options
    this.#events = events
    this.#strangers = new Strangers(strangersAtMost, greetTimeout)
  }

  /** @throws LinkError with the system's code where it cannot listen, or the certificates cannot be used */
  static async listen(options: HubListenerOptions, events: HubListenerEvents): Promise<HubListener> {
    const { address, tls } = options
    if (tls !== undefined) checkMutualTls(tls)
    const hub = new HubListener(options, events)
    const wrap = tls && acceptMutualTls(tls)
    const listener = listen(address, (duplex, upgrade) => {
      void hub.#accept(duplex, wrap && (() => upgrade(wrap)))
    })
    hub.#listener = await listening('agents', address, listener)
    return hub
  }

  /** Where; with the port that the system chose, where it was 0. */
  get address(): SocketAddress {
    return this.#listener!.address
  }

  /** The agents that are there, by name. */
  get agents(): ReadonlyMap<string, Session> {
    return this.#agents
  }

  /** Ends all connections; each agent is told so. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#strangers.endAll('the hub is closed')
    for (const session of [...this.#agents.values()]) session.close('lost', 'the hub is closed')
    await this.#listener?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @param secure puts TLS on the connection first */
  async #accept(duplex: Duplex, secure: (() => Promise<Duplex>) | undefined): Promise<void> {
    const stranger = this.#strangers.add(() => closeNow(duplex))
    let way = duplex
    if (secure !== undefined)
      try {
        way = await secure()
      } catch (error) {
        stranger.leave()
        closeNow(duplex)
        this.#events.refused?.(printable(`TLS: ${(error as Error).message}`))
        return
      }
    this.#begin(way, stranger)
  }

  #begin(duplex: Duplex, stranger: Stranger): void {
    const { name, silence } = this.#options
    let agentName: string | undefined
    const session = new Session(
      duplex,
      { role: 'hub', name, silence, every },
      {
        admit: agent => this.#admit(duplex, agent),
        greeted: (session, agent) => {
          stranger.leave()
          agentName = agent
          this.#agents
            .get(agent)
            ?.close('lost', `another connection of ${agent} has come: is there a second agent so named?`)
          this.#agents.set(agent, session)
          return this.#events.connected(session, agent)
        },
        ended: why => {
          stranger.leave()
          if (agentName === undefined) this.#events.refused?.(why.message)
          else if (this.#agents.get(agentName) === session) this.#agents.delete(agentName)
        },
      },
    )
    stranger.sendAway = why => session.close('lost', why)
    if (this.#isClosed) session.close('lost', 'the hub is closed')
  }

  #admit(duplex: Duplex, agent: string): void {
    const { agentsAtMost = 1024 } = this.#options
    checkCertified(duplex, 'agent', agent)
    if (this.#agents.size >= agentsAtMost && !this.#agents.has(agent))
      throw new ReplicationError('in-use', `the hub has ${agentsAtMost} agents, and takes no more`)
    this.#events.admit?.(agent)
  }
}
