import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'

/** Reads a line of a connection, and leaves what comes after it. @throws Error where it ends, or the line is too long */
export function readLine(socket: Socket, atMost: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let rest = Buffer.alloc(0)
    const done = () => {
      socket.off('data', take).off('close', closed)
      socket.pause()
    }
    const closed = () => {
      done()
      reject(new Error('the connection ended'))
    }
    const take = (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes])
      const end = rest.indexOf('\n')
      if (end < 0 && rest.length <= atMost) return
      done()
      if (end < 0 || end > atMost) return reject(new Error('a line that is too long'))
      const line = rest.subarray(0, end).toString('utf8')
      if (end + 1 < rest.length) socket.unshift(rest.subarray(end + 1))
      resolve(line)
    }
    socket.on('data', take).once('close', closed)
    if (socket.destroyed) closed()
    else socket.resume()
  })
}
