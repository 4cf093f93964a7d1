import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { messageFraming } from '#xenlight/protocol-d/stream/message-codec.js'
import type { WireMessage } from '#xenlight/protocol-d/stream/wire-message.js'

type Channel = 'data' | 'meta'

/** A peer that connects and sends whatever it is told to. It answers pings, and knows the pair's name. */
export class RawPeer implements Disposable {
  readonly #sockets: Record<Channel, Socket>
  readonly messages: WireMessage[] = []
  isClosed = false

  private constructor(data: Socket, meta: Socket) {
    this.#sockets = { data, meta }
    for (const channel of ['data', 'meta'] as const) {
      const decoder = messageFraming.decoder()
      this.#sockets[channel].on('data', bytes =>
        decoder.push(bytes, message => {
          if (message.kind === 'ping') this.send('meta', { kind: 'pong', received: 0, isFull: false })
          else if (message.kind !== 'pong') this.messages.push(message)
        }),
      )
      this.#sockets[channel].once('close', () => {
        this.isClosed = true
      })
    }
  }

  static async connect(path: string, pair = 'pair'): Promise<RawPeer> {
    const [data, meta] = [await reach(path), await reach(path)]
    const peer = new RawPeer(data, meta)
    const session = randomUUID()
    for (const channel of ['data', 'meta'] as const)
      peer.send(channel, { kind: 'open', session, channel, pair, version: 1 })
    return peer
  }

  send(channel: Channel, message: WireMessage): void {
    this.sendBytes(channel, messageFraming.encode(message))
  }

  sendBytes(channel: Channel, bytes: Uint8Array): void {
    this.#sockets[channel].write(bytes)
  }

  /** Reads nothing more. */
  deafen(): void {
    for (const socket of Object.values(this.#sockets)) socket.pause()
  }

  async flushed(): Promise<void> {
    const { data, meta } = this.#sockets
    await Promise.all([data, meta].map(socket => new Promise(resolve => socket.write('', resolve))))
  }

  [Symbol.dispose](): void {
    for (const socket of Object.values(this.#sockets)) socket.destroy()
  }
}

export function reach(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket))
    socket.once('error', reject)
    socket.on('error', () => {})
  })
}
