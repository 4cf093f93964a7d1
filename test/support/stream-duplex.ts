import type { Duplex as Stream } from 'node:stream'
import type { Duplex } from '#xenlight/link/duplex.js'

/** A stream of Node's as the way to another end. */
export function streamDuplex(stream: Stream): Duplex {
  stream.on('error', () => {})
  return {
    start(reader) {
      stream.on('data', bytes => reader.data(bytes))
      stream.once('close', () => reader.end())
    },
    write: message => void stream.write(message),
    close: () => void stream.destroy(),
  }
}
