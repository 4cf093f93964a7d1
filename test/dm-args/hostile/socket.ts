import { createServer, type Server, type Socket } from 'node:net'

/** An NBD server that counts who comes to it. */
export interface NbdSocket extends AsyncDisposable {
  /** The names of the exports that clients asked for. */
  readonly asked: readonly string[]
}

/** Serves zeros on a socket of this path, as every export. */
export async function serveNbd(path: string, size: number): Promise<NbdSocket> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    void serve(socket, size, name => asked.push(name)).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
  return {
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const option = { go: 7 }
const answer = { ack: 1, info: 3, unsupported: 0x8000_0001 }
const command = { read: 0, disconnect: 2 }

/** NBD's fixed newstyle negotiation, then its simple replies (the protocol's proto.md). */
async function serve(socket: Socket, size: number, ask: (name: string) => void): Promise<void> {
  const read = reader(socket)
  socket.write(Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), uint16(3)]))
  await read(4)
  for (let chosen = 0; chosen !== option.go; ) {
    const header = await read(16)
    chosen = header.readUInt32BE(8)
    const data = await read(header.readUInt32BE(12))
    const reply = (type: number, ...rest: Buffer[]) => {
      const length = rest.reduce((sum, { length }) => sum + length, 0)
      const head = Buffer.from('0003e889045565a9', 'hex')
      socket.write(Buffer.concat([head, uint32(chosen), uint32(type), uint32(length), ...rest]))
    }
    if (chosen === option.go) {
      ask(data.toString('utf8', 4, 4 + data.readUInt32BE(0)))
      reply(answer.info, uint16(0), uint64(size), uint16(1))
      reply(answer.ack)
    } else {
      reply(answer.unsupported)
    }
  }
  for (;;) {
    const request = await read(28)
    const type = request.readUInt16BE(6)
    if (type === command.disconnect) return void socket.end()
    const head = Buffer.concat([Buffer.from('67446698', 'hex'), uint32(0), request.subarray(8, 16)])
    socket.write(type === command.read ? Buffer.concat([head, Buffer.alloc(request.readUInt32BE(24))]) : head)
  }
}

function reader(socket: Socket): (length: number) => Promise<Buffer> {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  return async length => {
    while (rest.length < length) {
      const { value, done } = await chunks.next()
      if (done) throw new Error('the client has gone')
      rest = Buffer.concat([rest, value])
    }
    const read = rest.subarray(0, length)
    rest = rest.subarray(length)
    return read
  }
}

const uint16 = (value: number) => Buffer.from([value >> 8, value])
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const uint64 = (value: number) => Buffer.concat([uint32(Math.floor(value / 2 ** 32)), uint32(value >>> 0)])
