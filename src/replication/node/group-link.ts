import type { HubLink } from '../agent/hub-link.js'
import type { ReplicationError } from '../replication-error.js'
import type { Message } from '../wire/message.js'
import type { Session, SessionMessage } from '../wire/session.js'

/** A group's part of a connection. To the group it is one channel; on the connection each attach has a number of its own. */
export class GroupLink implements HubLink {
  readonly channel = 0
  readonly #session: Session
  readonly #nextChannel: () => number
  readonly #receive: (message: Message) => void
  /** The numbers of its attaches; the last one counts. */
  #current = 0
  readonly #all = new Set<number>()

  /** @param receive takes what the hub says to the group */
  constructor(session: Session, nextChannel: () => number, receive: (message: Message) => void) {
    this.#session = session
    this.#nextChannel = nextChannel
    this.#receive = receive
  }

  get unsent(): number {
    // while the hub's window is shut nothing may be sent, however little waits
    return this.#session.maySend(this.#current) ? this.#session.unsent : Number.POSITIVE_INFINITY
  }

  get heard(): number {
    return this.#session.heard
  }

  send(message: Message): void {
    if (message.kind === 'digestsRequest') {
      this.#ask(message)
      return
    }
    if (message.kind === 'attach') {
      this.#current = this.#nextChannel()
      this.#all.add(this.#current)
    }
    this.#session.send({ ...message, channel: this.#current } as SessionMessage)
  }

  reject(error: ReplicationError): void {
    this.#session.close(error.code, error.message)
  }

  /** Ends what is attached, if anything. */
  detach(): void {
    if (this.#current > 0) this.#session.send({ kind: 'detach', channel: this.#current })
  }

  /** Takes a message of the hub, which may be about an earlier attach. */
  take(message: Message & { channel: number }): void {
    if (message.channel === this.#current) this.#receive(message)
  }

  /** Whether a channel of the connection is, or was, this group's. */
  has(channel: number): boolean {
    return this.#all.has(channel)
  }

  #ask({ request, volume, offset, length }: Extract<Message, { kind: 'digestsRequest' }>): void {
    const channel = this.#current
    this.#session
      .askBytes({ kind: 'digestsRequest', channel, volume, offset, length }, { timeout: digestsTimeout })
      .then(
        data => this.#receive({ kind: 'bytes', channel, request, data }),
        ({ code = 'lost', message }) => this.#receive({ kind: 'failed', channel, request, code, message }),
      )
  }
}

/** How long a hub may take to answer with digests, in milliseconds: it may have much of a disk to read. */
const digestsTimeout = 60_000
