import type { Socket } from 'node:net'
import type { Duplex, DuplexReader } from '../duplex.js'
import { certifiedName } from './mutual-tls.js'

/** A stream of Node.js, plain or TLS. Who does not read what we write is not read from either. */
export class StreamDuplex implements Duplex {
  readonly givesAway = true
  readonly isCertified: ((name: string) => boolean) | undefined
  readonly #socket: Socket
  #reader: DuplexReader | undefined
  #cause: Error | undefined
  #isGathering = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.isCertified = certifiedName(socket)
    // the end follows
    socket.on('error', error => {
      this.#cause = error
    })
  }

  get unsent(): number {
    return this.#socket.writableLength
  }

  start(reader: DuplexReader): void {
    const socket = this.#socket
    this.#reader = reader
    socket.on('data', reader.drained === undefined ? this.#dataPatiently : this.#data)
    socket.on('drain', this.#drained)
    socket.once('close', this.#closed)
  }

  /** The socket is another's from now on. */
  detach(): void {
    const socket = this.#socket
    socket
      .off('data', this.#data)
      .off('data', this.#dataPatiently)
      .off('drain', this.#drained)
      .off('close', this.#closed)
  }

  /** What is written in one go leaves together. */
  write(message: Uint8Array): void {
    const socket = this.#socket
    if (!this.#isGathering) {
      this.#isGathering = true
      socket.cork()
      process.nextTick(this.#release)
    }
    socket.write(message)
  }

  close(): void {
    this.#socket.destroySoon()
  }

  abort(): void {
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  readonly #release = (): void => {
    this.#isGathering = false
    this.#socket.uncork()
  }

  readonly #data = (bytes: Uint8Array): void => this.#reader!.data(bytes)

  readonly #dataPatiently = (bytes: Uint8Array): void => {
    const socket = this.#socket
    socket.cork()
    this.#reader!.data(bytes)
    socket.uncork()
    if (socket.writableNeedDrain) socket.pause()
  }

  readonly #drained = (): void => {
    if (this.#reader!.drained === undefined) this.#socket.resume()
    else this.#reader!.drained()
  }

  readonly #closed = (): void => this.#reader!.end(this.#cause)
}
