import type { IncomingMessage } from 'node:http'

/** How long a request's body may be, in bytes. */
const longest = 4096

/** A request's body; undefined where it is too long, or ends early. */
export function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise(resolve => {
    const pieces: Buffer[] = []
    let length = 0
    request.on('data', (piece: Buffer) => {
      length += piece.length
      if (length <= longest) pieces.push(piece)
      else resolve(undefined)
    })
    request.once('end', () => resolve(Buffer.concat(pieces).toString()))
    request.once('close', () => resolve(undefined))
    request.once('error', () => resolve(undefined))
  })
}
