import { setImmediate } from 'node:timers/promises'
import type { ReplicationError } from '#xenlight/replication/replication-error.js'
import type { RequestMessage } from '#xenlight/replication/wire/message.js'
import { Session, type SessionMessage } from '#xenlight/replication/wire/session.js'
import { type MemoryEnd, memoryPair, TestClock } from './memory-pair.js'

export const uuid = '123e4567-e89b-42d3-a456-426614174000'
export const silence = 6000

/** A session and what its user heard. */
export class Side {
  readonly session: Session
  readonly messages: SessionMessage[] = []
  /** By whom the other end was greeted. */
  peer: string | undefined
  readonly ends: ReplicationError[] = []
  readonly hostEnds: ReplicationError[] = []
  drained = 0
  /** What it does with a message, besides keeping it. */
  onMessage: (message: SessionMessage) => void = () => {}
  answer: (request: RequestMessage, gone: AbortSignal) => Promise<unknown> = async () => 'yes'
  admit: (name: string) => void = () => {}

  constructor(duplex: MemoryEnd, role: 'agent' | 'hub', clock: TestClock) {
    this.session = new Session(
      duplex,
      { role, name: role === 'agent' ? 'host1' : 'hub1', silence, every: clock.every },
      {
        admit: name => this.admit(name),
        greeted: (_session, name) => {
          this.peer = name
          return {
            message: message => {
              this.messages.push(message)
              this.onMessage(message)
            },
            request: (request, gone) => this.answer(request, gone),
            drained: () => {
              this.drained++
            },
            ended: why => this.ends.push(why),
          }
        },
        ended: why => this.hostEnds.push(why),
      },
    )
  }

  /** Why it is over. */
  get why(): string | undefined {
    return this.hostEnds[0]?.message
  }

  heard<Kind extends SessionMessage['kind']>(kind: Kind): (SessionMessage & { kind: Kind })[] {
    return this.messages.filter((one): one is SessionMessage & { kind: Kind } => one.kind === kind)
  }
}

/** An agent and a hub that greet each other over memory. */
export class SessionPair {
  readonly clock = new TestClock()
  readonly agentEnd: MemoryEnd
  readonly hubEnd: MemoryEnd
  readonly agent: Side
  readonly hub: Side

  constructor({ step = 1 } = {}) {
    const [agentEnd, hubEnd] = memoryPair(step)
    this.agentEnd = agentEnd
    this.hubEnd = hubEnd
    this.agent = new Side(agentEnd, 'agent', this.clock)
    this.hub = new Side(hubEnd, 'hub', this.clock)
  }

  static greeted(options: { step?: number } = {}): SessionPair {
    const pair = new SessionPair(options)
    pair.deliver()
    return pair
  }

  /** Delivers all that both say, and what that leads to. */
  deliver(piece?: number): void {
    while (this.agentEnd.deliver(undefined, piece) || this.hubEnd.deliver(undefined, piece));
  }

  /** As `deliver`, with what is answered later. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await setImmediate()
      if (this.agentEnd.held > 0 || this.hubEnd.held > 0) quiet = 0
      this.deliver()
    }
  }

  attach(channel: number, window = 4 * 1024 * 1024, received?: number): void {
    this.agent.session.send({
      ...{ kind: 'attach', channel, group: `group${channel}`, epoch: 0, stream: uuid, oldest: 1, volumes: [] },
    })
    this.deliver()
    this.hub.session.send({ kind: 'attached', channel, epoch: 0, replica: uuid, holds: false, window, received })
    this.deliver()
  }
}

export const write = (channel: number, sequence: number, size = 4096) =>
  ({
    kind: 'write',
    channel,
    sequence,
    time: sequence,
    volume: 0,
    offset: 0,
    data: new Uint8Array(size).fill(sequence),
  }) as const
