import { connect, createServer, type Socket } from 'node:net'
import { Controllers } from '../../../control/controllers.js'
import { listenAnew } from '../../../link/node/listen-anew.js'
import { StreamDuplex } from '../../../link/node/stream-duplex.js'
import { type Channel, greetingAtMost, newNonce, readVisit, signed, type Visit, type Welcome } from '../greeting.js'
import { readLine } from './read-line.js'

/** How long a greeting may take, in milliseconds. */
const greetingTimeout = 5000
/** How many may be at the door, or inside, at a time. */
const visitorsAtMost = 16
/** After so many milliseconds of silence TCP asks whether the other end is there still. */
const keepAliveInitialDelay = 10_000

export interface DoorOptions {
  host: string
  port: number
  /** The pair's name. */
  key: string
  /** The other node's. */
  peer: string
  admit(visit: Visit): Promise<Welcome>
  /** The sockets of QEMU's monitors that the other node gets. */
  monitors: Readonly<Record<Exclude<Channel, 'node'>, string>>
  answer: ConstructorParameters<typeof Controllers>[0]
}

interface Visitor {
  socket: Socket
  visit: Visit | undefined
}

/** Where the other node comes in while it is the primary, and nobody else. Visitors of promotions that are over are put out. */
export class PeerDoor implements AsyncDisposable {
  readonly #options: DoorOptions
  readonly #controllers: Controllers
  readonly #visitors = new Set<Visitor>()
  readonly #server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay, pauseOnConnect: true },
    socket => this.#take(socket),
  )

  private constructor(options: DoorOptions) {
    this.#options = options
    this.#controllers = new Controllers(options.answer)
  }

  /** @throws Error of the system */
  static async open(options: DoorOptions): Promise<PeerDoor> {
    const { host, port } = options
    const door = new PeerDoor(options)
    await listenAnew(door.#server, { host, port })
    door.#server.on('error', () => {})
    return door
  }

  /** Puts out who came under an earlier promotion. */
  endBefore(promotion: number): void {
    for (const { socket, visit } of this.#visitors)
      if (visit !== undefined && visit.promotion < promotion) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#visitors) socket.destroy()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #take(socket: Socket): void {
    socket.on('error', () => {})
    if (this.#visitors.size >= visitorsAtMost) {
      socket.destroy()
      return
    }
    const visitor: Visitor = { socket, visit: undefined }
    this.#visitors.add(visitor)
    socket.once('close', () => this.#visitors.delete(visitor))
    const timer = setTimeout(() => socket.destroy(), greetingTimeout)
    this.#greet(visitor)
      .catch(() => socket.destroy())
      .finally(() => clearTimeout(timer))
  }

  async #greet(visitor: Visitor): Promise<void> {
    const { key, peer, admit } = this.#options
    const { socket } = visitor
    const nonce = newNonce()
    socket.write(signed({ nonce }, key))
    const visit = readVisit(await readLine(socket, greetingAtMost), key, nonce)
    // one of our own, sent back to us, is none of the other node's
    if (visit === undefined || visit.node !== peer) throw new Error('it is not the other node')
    visitor.visit = visit
    const welcome = await admit(visit)
    const line = signed(welcome, key, visit.nonce)
    if (!welcome.isIn) {
      socket.end(line)
      return
    }
    socket.write(line)
    // who was here before has gone without a word
    for (const other of this.#visitors)
      if (other !== visitor && other.visit?.channel === visit.channel) other.socket.destroy()
    if (visit.channel === 'node') this.#controllers.accept(new StreamDuplex(socket))
    else relay(socket, this.#options.monitors[visit.channel])
    socket.resume()
  }
}

function relay(socket: Socket, path: string): void {
  const monitor = connect({ path })
  monitor.on('error', () => {})
  socket.once('close', () => monitor.destroy())
  monitor.once('close', () => socket.destroy())
  socket.pipe(monitor)
  monitor.pipe(socket)
}
