import { Buffer } from 'node:buffer'
import type { Duplex } from '#xenlight/link/duplex.js'
import { LinkError } from '#xenlight/link/link-error.js'
import { RequestTable } from '#xenlight/link/request-table.js'
import { type Operation, operations, watchEvent } from '#xenlight/xenstore/operation.js'
import type { Packet } from '#xenlight/xenstore/packet.js'
import { packetFraming } from '#xenlight/xenstore/packet-reader.js'

export interface RawReply {
  /** The operation's own number, or 16 for an error. */
  type: number
  requestId: number
  transactionId: number
  payload: string
}

/** What a request gets that the other side answers by closing the connection. */
const noReply: RawReply = { type: -1, requestId: -1, transactionId: -1, payload: 'closed' }

/** Sends any packet, valid or not, and says what came back, byte for byte. */
export class RawClient {
  /** "path\0token\0" of each event. */
  readonly events: string[] = []
  readonly closed: Promise<void>
  readonly #duplex: Duplex
  readonly #requests: RequestTable<number, Omit<Packet, 'requestId'>>
  /** The request whose answer comes next, whatever number it has. */
  #oldest = 101

  constructor(duplex: Duplex) {
    this.#duplex = duplex
    this.#requests = new RequestTable({
      atMost: Number.POSITIVE_INFINITY,
      nextId: (last = 100) => last + 1,
      send: (requestId, packet) => duplex.write(packetFraming.encode({ ...packet, requestId })),
      overError: (_, { why }) => new Error(why),
      lostError: (_, error) => error,
    })
    const reader = packetFraming.decoder()
    this.closed = new Promise(resolve => {
      duplex.start({
        data: bytes =>
          reader.push(bytes, ({ payload, ...header }) => {
            const text = payload.toString('latin1')
            if (header.type === watchEvent) this.events.push(text)
            else if (this.#requests.peek(this.#oldest) !== undefined)
              this.#requests.resolve(this.#oldest++, () => ({ ...header, payload: text }))
          }),
        end: () => {
          resolve()
          this.#requests.failAll(new LinkError('ECONNRESET', 'closed'))
        },
      })
    })
  }

  /** The answer to a request; `payload` as it goes over the wire, so with its NULs. */
  request(operation: Operation | number, payload: string, transactionId = 0): Promise<RawReply> {
    const type = typeof operation === 'number' ? operation : operations[operation]
    const request = { type, transactionId, payload: Buffer.from(payload, 'latin1') }
    return this.#requests.ask<RawReply>(request).catch(() => noReply)
  }

  /** The payload of the answer, without its last NUL; of an error, its name. */
  async ask(operation: Operation | number, payload: string, transactionId = 0): Promise<string> {
    return (await this.request(operation, payload, transactionId)).payload.replace(/\0$/, '')
  }

  /** The events so far; what an earlier request caused is among them. */
  async seen(): Promise<string[]> {
    await this.request('READ', '/\0')
    return this.events.splice(0).map(event => event.replaceAll('\0', ' ').trim())
  }

  close(): void {
    this.#duplex.close()
  }
}
