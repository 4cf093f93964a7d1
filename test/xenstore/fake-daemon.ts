import { Buffer } from 'node:buffer'
import { type Duplex, type DuplexReader, openXenstore, type Xenstore } from 'xenlight/xenstore'

/** A request as the daemon sees it; `text` is the payload with a character for each byte. */
export interface Received {
  type: number
  id: number
  tx: number
  text: string
}

/** The other end of a connection, which answers what a test says, when it says. */
export class FakeDaemon implements Duplex {
  readonly received: Received[] = []
  readonly #handle: ((request: Received, daemon: FakeDaemon) => void) | undefined
  #reader: DuplexReader | undefined
  closed = false

  constructor(handle?: (request: Received, daemon: FakeDaemon) => void) {
    this.#handle = handle
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
  }

  write(packet: Uint8Array): void {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
    const length = view.getUint32(12, true)
    if (packet.byteLength !== 16 + length) throw new Error(`a packet of ${packet.byteLength} bytes that says ${length}`)
    const text = Buffer.from(packet.subarray(16)).toString('latin1')
    const request = {
      type: view.getUint32(0, true),
      id: view.getUint32(4, true),
      tx: view.getUint32(8, true),
      text,
    }
    this.received.push(request)
    if (this.#handle !== undefined) queueMicrotask(() => this.#handle?.(request, this))
  }

  close(): void {
    this.hangUp()
  }

  send(bytes: Uint8Array): void {
    if (!this.closed) this.#reader?.data(bytes)
  }

  answer({ type, id, tx }: Received, text = 'OK\0'): void {
    this.send(packet(type, id, tx, text))
  }

  refuse({ id, tx }: Received, name: string): void {
    this.send(packet(16, id, tx, `${name}\0`))
  }

  event(path: string, token: string): void {
    this.send(packet(15, 0, 0, `${path}\0${token}\0`))
  }

  hangUp(cause?: Error): void {
    if (this.closed) return
    this.closed = true
    this.#reader?.end(cause)
  }
}

/** A message, in the byte order of the machines that this runs on. */
export function packet(type: number, id: number, tx: number, text: string): Buffer {
  const payload = Buffer.from(text, 'latin1')
  const bytes = Buffer.alloc(16 + payload.length)
  for (const [index, word] of [type, id, tx, payload.length].entries()) bytes.writeUInt32LE(word, index * 4)
  bytes.set(payload, 16)
  return bytes
}

/** A store on a daemon that answers nothing by itself. */
export function silent(options?: Parameters<typeof openXenstore>[1]): { daemon: FakeDaemon; store: Xenstore } {
  const daemon = new FakeDaemon()
  return { daemon, store: openXenstore(daemon, options) }
}

/** Lets everything that is ready happen. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

/** What becomes of a promise, in words. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await promise) ?? 'done'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
