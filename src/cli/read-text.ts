import { decodeText } from '../byte-text.js'
import { SystemError } from '../command-line/system-error.js'
import type { Io } from './io.js'

/** In MiB. No domain needs as much; /dev/zero would give more. */
const largest = 16

/** The text of a file; of standard input, if the path is `-`. */
export function readText(path: string, io: Io): string {
  const pieces: Uint8Array[] = []
  let length = 0
  for (const piece of path === '-' ? inputOf(io) : io.readFile(path)) {
    if (piece.includes(0)) throw new SystemError(path, '', 'this is no text: it holds a NUL byte')
    length += piece.length
    if (length > largest << 20) throw new SystemError(path, '', `this is larger than ${largest} MiB`)
    pieces.push(piece)
  }
  return decodeText(Buffer.concat(pieces))
}

function* inputOf(io: Io): Iterable<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(0x10000)
    const length = io.readInput(buffer)
    if (length === 0) return
    yield buffer.subarray(0, length)
  }
}
