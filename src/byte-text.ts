/**
 * libxl works on bytes, JavaScript on text. Text here may hold lone surrogates U+DC80–U+DCFF: each stands for one byte
 * that is no part of valid UTF-8 (Python's "surrogateescape"), so that any byte string survives the round trip.
 */
import { Buffer, isUtf8 } from 'node:buffer'

const escaped = /(?<![\ud800-\udbff])[\udc80-\udcff]+/g

/** Text to bytes. A lone surrogate that stands for no byte becomes U+FFFD. */
export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8')
  const parts: Buffer[] = []
  let end = 0
  for (const match of text.matchAll(escaped)) {
    parts.push(Buffer.from(text.slice(end, match.index), 'utf8'))
    parts.push(Buffer.from(match[0], 'latin1').map((_, index) => match[0].charCodeAt(index) & 0xff) as Buffer)
    end = match.index + match[0].length
  }
  parts.push(Buffer.from(text.slice(end), 'utf8'))
  return Buffer.concat(parts)
}

/** Bytes to text; `encodeText` gives back the same bytes. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(buffer)) return buffer.toString('utf8')
  let text = ''
  let start = 0
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer, at)
    if (length > 0) {
      at += length
    } else {
      text += buffer.toString('utf8', start, at) + String.fromCharCode(0xdc00 | buffer[at]!)
      start = ++at
    }
  }
  return text + buffer.toString('utf8', start)
}

/** Text as a string of one character a byte, as the grammars read it. */
export const toByteString = (text: string): string => (isAscii(text) ? text : encodeText(text).toString('latin1'))

/** The way back from `toByteString`. */
export const fromByteString = (bytes: string): string =>
  isAscii(bytes) ? bytes : decodeText(Buffer.from(bytes, 'latin1'))

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
export const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text)

/** Length of the valid UTF-8 sequence at a position, 0 where there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
  return length > 0 && isUtf8(bytes.subarray(at, at + length)) && at + length <= bytes.length ? length : 0
}
