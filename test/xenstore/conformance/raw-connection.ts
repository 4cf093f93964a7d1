import { encodeText } from '#xenlight/byte-text.js'
import { LinkError } from '#xenlight/link/link-error.js'
import { RequestTable } from '#xenlight/link/request-table.js'
import type { Duplex } from '#xenlight/xenstore/duplex.js'
import { errorReply, type Operation, operations, watchEvent } from '#xenlight/xenstore/operation.js'
import type { Packet } from '#xenlight/xenstore/packet.js'
import { packetFraming } from '#xenlight/xenstore/packet-reader.js'

/** Requests as they are on the wire, also those that no client sends. */
export class RawConnection {
  /** The events that have come, each its path and token. */
  readonly events: string[] = []
  /** The numbers of the answered requests in the order of the answers, and 'event' where one came between them. */
  readonly order: (number | 'event')[] = []
  readonly ended: Promise<void>
  readonly #duplex: Duplex
  readonly #requests: RequestTable<number, Omit<Packet, 'requestId'>>

  constructor(duplex: Duplex) {
    this.#duplex = duplex
    this.#requests = new RequestTable({
      atMost: Number.POSITIVE_INFINITY,
      nextId: (last = 0) => last + 1,
      send: (requestId, packet) => duplex.write(packetFraming.encode({ ...packet, requestId })),
      overError: (_, { why }) => new Error(why),
      lostError: (_, error) => error,
    })
    const reader = packetFraming.decoder()
    this.ended = new Promise(resolve => {
      duplex.start({
        data: bytes => reader.push(bytes, packet => this.#take(packet)),
        end: () => {
          this.#requests.failAll(new LinkError('ECONNRESET', 'closed'))
          resolve()
        },
      })
    })
  }

  /** The answer: its text with a space for each NUL, the name of an error, or "closed". */
  ask(operation: Operation | number, payload: string | Uint8Array, transactionId = 0): Promise<string> {
    const type = typeof operation === 'number' ? operation : operations[operation]
    const bytes = Buffer.from(typeof payload === 'string' ? encodeText(payload) : payload)
    return this.#requests
      .ask<string>({ type, transactionId, payload: bytes })
      .catch((error: LinkError) => error.message)
  }

  /** Begins a transaction; its number. */
  async begin(): Promise<number> {
    return Number(await this.ask('TRANSACTION_START', '\0'))
  }

  close(): void {
    this.#duplex.close()
  }

  #take({ type, requestId, payload }: Packet): void {
    const text = payload.toString('latin1').replace(/\0$/, '').replaceAll('\0', ' ')
    if (type === watchEvent) {
      this.events.push(text)
      this.order.push('event')
      return
    }
    this.order.push(requestId)
    if (this.#requests.peek(requestId) === undefined) return
    const isOdd = type === errorReply && !/^E[A-Z0-9]+$/.test(text)
    this.#requests.resolve(requestId, () => (isOdd ? `error ${text}` : text))
  }
}
