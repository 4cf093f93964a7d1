import { ReplicationError } from '../replication-error.js'
import type { Attach, RequestMessage, StreamMessage, VolumeReport } from '../wire/message.js'
import type { Session, SessionMessage, SessionUser } from '../wire/session.js'
import { fileError } from './file-error.js'
import type { HubGroup } from './group.js'
import type { Attachment, StreamLink } from './group-stream.js'

/** What a hub uses of a connection to an agent. */
export type HubSession = Pick<Session, 'send' | 'ask' | 'askBytes' | 'close'> & Partial<Pick<Session, 'answered'>>

/** What the sessions of a hub share. */
export interface SessionHub {
  /** The group that an agent may send, which is made where it is not there. @throws ReplicationError */
  groupFor(agent: string, name: string): Promise<HubGroup>
  /** @param gone aborted when the agent has gone */
  command(agent: string, execute: string, given: unknown, gone: AbortSignal): Promise<unknown>
  /** @param saidSince it was said after that, by `performance.now()`; undefined where nothing is known of that */
  reported(agent: string, volumes: readonly VolumeReport[], saidSince: number | undefined): void
  ended(session: AgentSession): void
}

interface Channel {
  group: HubGroup | undefined
  isClosed: boolean
}

/** One connection of an agent, at the hub. */
export class AgentSession implements SessionUser {
  readonly agent: string
  readonly session: HubSession
  readonly #hub: SessionHub
  readonly #link: StreamLink
  readonly #channels = new Map<number, Channel>()
  /** The channel by which each group was named last. */
  readonly #named = new Map<string, number>()
  readonly #gone = new AbortController()

  constructor(session: HubSession, agent: string, hub: SessionHub) {
    this.session = session
    this.agent = agent
    this.#hub = hub
    this.#link = {
      agent,
      send: message => this.#send(message),
      isOpen: channel => !this.#gone.signal.aborted && this.#channels.get(channel)?.isClosed === false,
    }
  }

  /** The channel by which the agent knows a group; undefined where it has never named it here. */
  channelOf(group: string): number | undefined {
    return this.#named.get(group)
  }

  message(message: SessionMessage): void {
    switch (message.kind) {
      case 'attach':
        void this.#attach(message)
        break
      case 'detach':
        this.#detach(message.channel)
        break
      case 'report':
        this.#hub.reported(this.agent, message.volumes, this.session.answered)
        break
      case 'write':
      case 'fill':
      case 'zero':
      case 'fillZero':
      case 'unsettled':
      case 'settled':
      case 'point':
        this.#take(message)
        break
      default:
        throw new ReplicationError('protocol', `an agent does not say "${message.kind}"`)
    }
  }

  async request(request: RequestMessage): Promise<unknown> {
    if (request.kind === 'command')
      return this.#hub.command(this.agent, request.execute, request.arguments, this.#gone.signal)
    if (request.kind !== 'digestsRequest')
      throw new ReplicationError(
        'not-allowed',
        'the hub reads and writes disks by the agent, and not the other way round',
      )
    const group = this.#channels.get(request.channel)?.group
    if (group === undefined || this.#attachment(group, request.channel) === undefined)
      throw new ReplicationError('wrong-state', `channel ${request.channel} is not attached`)
    return group.digests(request)
  }

  ended(): void {
    this.#gone.abort()
    for (const { group } of this.#channels.values()) group?.stream.left(this.#link)
    this.#channels.clear()
    this.#hub.ended(this)
  }

  async #attach(attach: Attach): Promise<void> {
    const channel: Channel = { group: undefined, isClosed: false }
    this.#channels.set(attach.channel, channel)
    try {
      const group = await this.#hub.groupFor(this.agent, attach.group)
      this.#named.set(attach.group, attach.channel)
      channel.group = group
      await group.attach(this.#link, attach)
    } catch (error) {
      const { code, message } = fileError(`the group ${attach.group} cannot be attached`, error)
      this.#channels.delete(attach.channel)
      this.#send({ kind: 'refused', channel: attach.channel, code, message })
    }
  }

  #take(message: StreamMessage): void {
    const group = this.#channels.get(message.channel)?.group
    const attachment = group && this.#attachment(group, message.channel)
    if (attachment !== undefined) group?.stream.take(attachment, message)
  }

  #detach(number: number): void {
    const channel = this.#channels.get(number)
    if (channel === undefined) return
    const attachment = channel.group && this.#attachment(channel.group, number)
    if (attachment !== undefined) channel.group?.stream.detach(attachment)
    this.#channels.delete(number)
    channel.isClosed = true
  }

  #attachment({ stream }: HubGroup, channel: number): Attachment | undefined {
    const { attachment } = stream
    return attachment?.link === this.#link && attachment.channel === channel ? attachment : undefined
  }

  #send(message: SessionMessage): void {
    if (this.#gone.signal.aborted) return
    if (message.kind === 'stopped') this.#channels.delete(message.channel)
    this.session.send(message)
  }
}
