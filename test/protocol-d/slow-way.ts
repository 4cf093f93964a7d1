import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A piece is sent so often, in milliseconds. */
const beat = 10

/** What lies between two nodes: so many bytes a second go each way over each connection, and none while it is stopped. */
export class SlowWay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly listening: Promise<void>
  /** The first channel to go through is the data's; the other goes on. */
  isStopped = false
  #isClosed = false

  /** @param rate in bytes a second */
  constructor(path: string, to: string, rate: number) {
    let connections = 0
    this.#server = createServer(socket => {
      const isData = connections++ % 2 === 0
      const other = connect(to)
      void this.#send(socket, other, rate, isData)
      void this.#send(other, socket, rate, isData)
    })
    this.listening = new Promise(resolve => this.#server.listen(path, resolve))
  }

  close(): void {
    this.#isClosed = true
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #send(from: Socket, to: Socket, rate: number, isData: boolean): Promise<void> {
    this.#sockets.add(from)
    from.on('error', () => {})
    const most = Math.ceil((rate * beat) / 1000)
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < bytes.length; at += most) {
          while (this.isStopped && isData && !this.#isClosed) await delay(beat)
          to.write(bytes.subarray(at, at + most))
          await delay(beat)
        }
      }
    } catch {
      // it was ended
    }
    to.destroy()
    this.#sockets.delete(from)
  }
}
