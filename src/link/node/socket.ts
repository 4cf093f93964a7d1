import { Buffer } from 'node:buffer'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Duplex, DuplexReader } from '../duplex.js'
import { checkAddress, type SocketAddress } from './socket-address.js'
import { whenConnected } from './when-connected.js'

/** How many messages wait for more of them: the other end may as well begin. */
const heldAtMost = 16
/** How much is read at a time. */
const bufferSize = 64 * 1024

/** Connects to a unix socket or by TCP. Fails with the system's error, or the signal's reason. */
export async function connectSocket(address: SocketAddress, signal?: AbortSignal): Promise<Duplex> {
  checkAddress(address)
  for (;;) {
    try {
      return await connectOnce(address, signal)
    } catch (error) {
      // The other end has not yet accepted those before (oxenstored lets one wait): a blocking connect would wait too.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await setTimeout(1, undefined, { signal }).catch(() => {
        throw signal?.reason
      })
    }
  }
}

function connectOnce(address: SocketAddress, signal: AbortSignal | undefined): Promise<Duplex> {
  const duplex = new SocketDuplex(onread => connect({ ...address, noDelay: true, onread } as NetConnectOpts))
  return whenConnected(duplex.socket, 'connect', signal, () => duplex)
}

interface OnRead {
  buffer: Uint8Array
  callback(size: number, buffer: Uint8Array): boolean
}

/**
 * The first message of a turn of the event loop goes out at once, those after it some at a time: a lone request waits for
 * nothing, many make few system calls.
 */
class SocketDuplex implements Duplex {
  readonly socket: Socket
  #reader: DuplexReader | undefined
  #held: Uint8Array[] = []
  #holding = false
  #cause: Error | undefined

  constructor(open: (onread: OnRead) => Socket) {
    this.socket = open({
      buffer: Buffer.allocUnsafeSlow(bufferSize),
      callback: (size, buffer) => {
        this.#reader?.data(buffer.subarray(0, size))
        return true
      },
    })
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
    this.socket.on('error', error => {
      this.#cause = error
    })
    // else it would stay open until the other end has taken what it will never answer
    this.socket.once('end', () => this.socket.destroy())
    this.socket.once('close', () => reader.end(this.#cause))
  }

  write(message: Uint8Array): void {
    if (this.#holding) {
      this.#held.push(message)
      if (this.#held.length >= heldAtMost) this.#writeHeld()
      return
    }
    this.#holding = true
    process.nextTick(this.#flush)
    this.socket.write(message)
  }

  close(): void {
    this.socket.destroy()
  }

  readonly #flush = (): void => {
    this.#holding = false
    if (this.#held.length > 0) this.#writeHeld()
  }

  #writeHeld(): void {
    this.socket.write(this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held))
    this.#held = []
  }
}
