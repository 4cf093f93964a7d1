import { connect, type Socket } from 'node:net'

/** A client that sends whatever it is told to. */
export class RawClient implements Disposable {
  readonly socket: Socket
  readonly ended: Promise<void>
  #pieces: Buffer[] = []
  #length = 0
  #heard: () => void = () => {}
  #isOver = false

  constructor(path: string) {
    this.socket = connect(path)
    this.socket.on('error', () => {})
    this.socket.on('data', bytes => {
      this.#pieces.push(bytes)
      this.#length += bytes.length
      this.#heard()
    })
    this.ended = new Promise(resolve => {
      this.socket.once('close', () => {
        this.#isOver = true
        this.#heard()
        resolve()
      })
    })
  }

  send(...parts: (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(parts.map(part => Buffer.from(part as string))))
  }

  /** The next bytes; fewer where the server closed. */
  async take(size: number): Promise<Buffer> {
    while (this.#length < size && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#heard = resolve
      })
    }
    if (this.#pieces.length > 1 && this.#pieces[0]!.length < size) this.#pieces = [Buffer.concat(this.#pieces)]
    const [first = Buffer.alloc(0)] = this.#pieces
    const taken = first.subarray(0, size)
    this.#pieces[0] = first.subarray(size)
    this.#length -= taken.length
    return taken
  }

  /** The next answer to an option: its type and data. */
  async answer(): Promise<{ type: number; data: Buffer }> {
    const header = await this.take(20)
    return { type: header.readUInt32BE(12), data: await this.take(header.readUInt32BE(16)) }
  }

  /** Up to the first request, without structured replies. */
  async enter(name = ''): Promise<void> {
    await this.take(18)
    this.send(uint32(3), optionOf(7, Buffer.concat([uint32(Buffer.byteLength(name)), Buffer.from(name), uint16(0)])))
    while ((await this.answer()).type !== 1);
  }

  /** The error number of the next simple reply. */
  async reply(): Promise<{ error: number; cookie: bigint }> {
    const bytes = await this.take(16)
    return { error: bytes.readUInt32BE(4), cookie: bytes.readBigUInt64BE(8) }
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export const optionOf = (kind: number, data: Uint8Array = new Uint8Array(), length = data.length): Buffer =>
  Buffer.concat([Buffer.from('IHAVEOPT'), uint32(kind), uint32(length), data])

export function requestOf(kind: number, offset: bigint | number, length: number, flags = 0, cookie = 1n): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.writeUInt32BE(0x2560_9513, 0)
  bytes.writeUInt16BE(flags, 4)
  bytes.writeUInt16BE(kind, 6)
  bytes.writeBigUInt64BE(cookie, 8)
  bytes.writeBigUInt64BE(BigInt(offset), 16)
  bytes.writeUInt32BE(length, 24)
  return bytes
}
