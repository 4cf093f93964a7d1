import { connect, createServer, type Server, type Socket } from 'node:net'

/** What lies between two processes: it carries all, loses its connections and makes none, or carries nothing until it carries all again. */
export class Way {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #state: 'whole' | 'cut' | 'silent' = 'whole'

  /** @param to a port of this machine */
  private constructor(to: number) {
    this.#server = createServer({ pauseOnConnect: true }, socket => {
      if (this.#state === 'cut') {
        socket.destroy()
        return
      }
      const other = connect(to, '127.0.0.1')
      this.#join(socket, other)
      this.#join(other, socket)
    })
  }

  static async open(port: number, to: number): Promise<Way> {
    const way = new Way(to)
    await new Promise<void>(resolve => way.#server.listen(port, '127.0.0.1', resolve))
    return way
  }

  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.pause()
  }

  mend(): void {
    this.#state = 'whole'
    for (const socket of this.#sockets) socket.resume()
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', bytes => to.write(bytes))
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      // what a silent way has lost is told by nobody
      const end = () => (this.#state === 'silent' ? setTimeout(end, 50) : to.destroy())
      end()
    })
    if (this.#state === 'silent') from.pause()
    else from.resume()
  }
}
