import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex, DuplexReader } from '#xenlight/xenstore/duplex.js'
import { type Operation, operations, watchEvent } from '#xenlight/xenstore/operation.js'
import { encodePacket } from '#xenlight/xenstore/packet.js'
import { PacketReader } from '#xenlight/xenstore/packet-reader.js'

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
  readonly #waiting: ((reply: RawReply) => void)[] = []
  #nextId = 100

  constructor(duplex: Duplex) {
    this.#duplex = duplex
    const reader = new PacketReader()
    this.closed = new Promise(resolve => {
      const receiver: DuplexReader = {
        data: bytes =>
          reader.push(bytes, ({ payload, ...header }) => {
            const text = payload.toString('latin1')
            if (header.type === watchEvent) this.events.push(text)
            else this.#waiting.shift()?.({ ...header, payload: text })
          }),
        end: () => {
          resolve()
          for (const answer of this.#waiting.splice(0)) answer(noReply)
        },
      }
      duplex.start(receiver)
    })
  }

  /** The answer to a request; `payload` as it goes over the wire, so with its NULs. */
  request(operation: Operation | number, payload: string, transactionId = 0): Promise<RawReply> {
    const type = typeof operation === 'number' ? operation : operations[operation]
    this.#nextId += 1
    this.#duplex.write(
      encodePacket({ type, requestId: this.#nextId, transactionId, payload: Buffer.from(payload, 'latin1') }),
    )
    return new Promise(resolve => this.#waiting.push(resolve))
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

/** A socket's bytes. */
export async function socketDuplex(path: string): Promise<Duplex> {
  const socket = connect(path)
  await once(socket, 'connect')
  socket.on('error', () => {})
  return {
    start: reader => {
      socket.on('data', bytes => reader.data(bytes))
      socket.once('close', () => reader.end())
    },
    write: packet => {
      socket.write(packet)
    },
    close: () => {
      socket.destroy()
    },
  }
}
