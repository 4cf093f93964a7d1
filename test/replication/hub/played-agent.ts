import type { AgentSession, HubSession } from '#xenlight/replication/hub/agent-session.js'
import type { Hub } from '#xenlight/replication/hub/hub.js'
import type { Attach, Attached, StreamMessage, VolumeInfo } from '#xenlight/replication/wire/message.js'
import type { SessionMessage } from '#xenlight/replication/wire/session.js'
import { until } from './played-hub.js'

type Answered = Extract<SessionMessage, { kind: 'attached' | 'refused' }>
type Unplaced<Placed> = Placed extends StreamMessage ? Omit<Placed, 'channel' | 'sequence' | 'time'> : never
type Request = { kind: string; [more: string]: unknown }

/** An agent's end of a connection, without a connection. */
export class PlayedAgent implements HubSession {
  readonly name: string
  readonly got: SessionMessage[] = []
  readonly user: AgentSession
  /** Answers what the hub asks. */
  answer: (request: Request) => unknown = () => ({})
  whyClosed: string | undefined
  time = 1_600_000_000_000_000
  #channel = 0
  #sequences = new Map<number, number>()

  constructor(hub: Hub, name: string) {
    this.name = name
    this.user = hub.connected(this, name)
  }

  send(message: SessionMessage): boolean {
    this.got.push(message)
    return true
  }

  async ask(request: unknown): Promise<unknown> {
    return await this.answer(request as Request)
  }

  async askBytes(request: unknown): Promise<Uint8Array> {
    return (await this.answer(request as Request)) as Uint8Array
  }

  close(_code?: string, message?: string): void {
    this.whyClosed = message ?? 'closed'
  }

  async attach(group: string, wish: Partial<Attach> & { volumes: readonly VolumeInfo[] }): Promise<Answered> {
    const channel = ++this.#channel
    const attach: Attach = { kind: 'attach', channel, group, epoch: 0, stream: 'stream-1', oldest: 1, ...wish }
    this.user.message(attach)
    const isAnswer = (one: SessionMessage): one is Answered =>
      (one.kind === 'attached' || one.kind === 'refused') && one.channel === channel
    await until('attach is answered', () => this.got.some(isAnswer))
    const answer = this.got.find(isAnswer)!
    if (answer.kind === 'attached') this.#sequences.set(channel, (answer.received ?? attach.oldest - 1) + 1)
    return answer
  }

  /** @throws Error where it is refused */
  async attached(group: string, wish: Partial<Attach> & { volumes: readonly VolumeInfo[] }): Promise<Attached> {
    const answer = await this.attach(group, wish)
    if (answer.kind === 'attached') return answer
    throw new Error(`refused: ${answer.code}: ${answer.message}`)
  }

  /** Sends the next message of a channel's stream. @returns its sequence */
  say(channel: number, message: Unplaced<StreamMessage>): number {
    const sequence = this.#sequences.get(channel)!
    this.#sequences.set(channel, sequence + 1)
    this.time += 1000
    this.user.message({ ...message, channel, sequence, time: this.time })
    return sequence
  }

  /** The last sequence that is durable; 0 where none is. */
  durable(channel: number): number {
    let last = 0
    for (const one of this.got) if (one.kind === 'durable' && one.channel === channel) last = one.sequence
    return last
  }

  stopped(channel: number): Extract<SessionMessage, { kind: 'stopped' }> | undefined {
    return this.got.find(one => one.kind === 'stopped' && one.channel === channel) as
      | Extract<SessionMessage, { kind: 'stopped' }>
      | undefined
  }

  async allDurable(channel: number, sequence: number): Promise<void> {
    await until(
      `${sequence} is durable`,
      () => this.durable(channel) >= sequence || this.stopped(channel) !== undefined,
    )
    const stopped = this.stopped(channel)
    if (stopped !== undefined) throw new Error(`stopped: ${stopped.code}: ${stopped.message}`)
  }
}
