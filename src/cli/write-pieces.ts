import type { OutputStream } from '../command-line/write-stream.js'
import type { Io } from './io.js'

/** In UTF-16 code units: enough that the calls cost nothing beside what is written. */
const enough = 0x10000

/** Writes a text that comes in pieces, never all of it at once: it may be larger than any string or the memory. */
export function writePieces(stream: OutputStream, pieces: Iterable<string>, io: Io): void {
  let gathered = ''
  for (const piece of pieces) {
    gathered += piece
    if (gathered.length < enough) continue
    io.write(stream, gathered)
    gathered = ''
  }
  if (gathered !== '') io.write(stream, gathered)
}
