import type { Duplex } from '#xenlight/link/duplex.js'
import { FrameDecoder, type FrameShape } from '#xenlight/link/frame-decoder.js'
import { listen } from '#xenlight/link/node/listener.js'

/** An NBD server that counts who comes to it. */
export interface NbdSocket extends AsyncDisposable {
  /** The names of the exports that clients asked for. */
  readonly asked: readonly string[]
}

/** Serves zeros on a socket of this path, as every export. */
export async function serveNbd(path: string, size: number): Promise<NbdSocket> {
  const asked: string[] = []
  const listener = await listen({ path }, duplex => serve(duplex, size, name => asked.push(name)))
  return { asked, [Symbol.asyncDispose]: () => listener.close() }
}

const option = { go: 7 }
const answer = { ack: 1, info: 3, unsupported: 0x8000_0001 }
const command = { read: 0, write: 1, disconnect: 2 }

/** NBD's fixed newstyle negotiation, then its simple replies (the protocol's proto.md). */
function serve(duplex: Duplex, size: number, ask: (name: string) => void): void {
  const write = (...parts: Uint8Array[]) => duplex.write(Buffer.concat(parts))
  const negotiate = (header: Buffer, data: Buffer) => {
    const chosen = header.readUInt32BE(8)
    const reply = (type: number, ...rest: Buffer[]) => {
      const length = rest.reduce((sum, { length }) => sum + length, 0)
      write(Buffer.from('0003e889045565a9', 'hex'), uint32(chosen), uint32(type), uint32(length), ...rest)
    }
    if (chosen !== option.go) {
      reply(answer.unsupported)
      return
    }
    ask(data.toString('utf8', 4, 4 + data.readUInt32BE(0)))
    reply(answer.info, uint16(0), uint64(size), uint16(1))
    reply(answer.ack)
    next(requests)
  }
  const serveRequest = (header: Buffer) => {
    const type = header.readUInt16BE(6)
    if (type === command.disconnect) {
      duplex.close()
      return
    }
    const head = [Buffer.from('67446698', 'hex'), uint32(0), header.subarray(8, 16)]
    write(...head, ...(type === command.read ? [Buffer.alloc(header.readUInt32BE(24))] : []))
  }
  const flags = { headerSize: 4, dataSize: () => 0, take: () => next(options) }
  const options = { headerSize: 16, dataSize: (header: Buffer) => header.readUInt32BE(12), take: negotiate }
  const requests = {
    headerSize: 28,
    dataSize: (header: Buffer) => (header.readUInt16BE(6) === command.write ? header.readUInt32BE(24) : 0),
    take: serveRequest,
  }
  let phase: Phase = flags
  const next = (then: Phase) => {
    phase = then
  }

  const shape: FrameShape<void> = {
    get headerSize() {
      return phase.headerSize
    },
    frameSize: (bytes, at) => phase.headerSize + phase.dataSize(Buffer.from(bytes).subarray(at)),
    decode(bytes, start, end) {
      const frame = Buffer.from(bytes.subarray(start, end))
      phase.take(frame.subarray(0, phase.headerSize), frame.subarray(phase.headerSize))
    },
  }
  const frames = new FrameDecoder(shape)
  duplex.start({ data: bytes => frames.push(bytes, () => {}), end: () => {} })
  write(Buffer.from('NBDMAGICIHAVEOPT'), uint16(3))
}

/** The messages of a part of the conversation. */
interface Phase {
  headerSize: number
  dataSize(header: Buffer): number
  take(header: Buffer, data: Buffer): void
}

const uint16 = (value: number) => Buffer.from([value >> 8, value])
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const uint64 = (value: number) => Buffer.concat([uint32(Math.floor(value / 2 ** 32)), uint32(value >>> 0)])
