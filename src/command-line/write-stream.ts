import { encodeText } from '../byte-text.js'
import { fs } from './fs.js'
import { patiently } from './patiently.js'
import { calling } from './system-error.js'

/** Standard output and standard error, by their numbers. */
export type OutputStream = 1 | 2

const streams = { 1: 'standard output', 2: 'standard error' } as const

/** Writes all of it before it returns: the streams of Node.js cost more than all else at start. @throws SystemError */
export function writeStream(stream: OutputStream, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? encodeText(data) : data
  calling(streams[stream], () => {
    for (let done = 0; done < bytes.length; ) done += patiently(() => fs.writeSync(stream, bytes, done))
  })
}
