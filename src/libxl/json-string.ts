import { DiskJsonError } from './disk-json-error.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none in a string
const plain = /[^"\\\0-\x1f]*/y
const hex = /u([0-9a-fA-F]{4})/y

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/**
 * The string that begins at a quote, and the index after it, as yajl and then C take it: a NUL ends the string, a high
 * surrogate without a second half is "?", a low one alone stays as the three bytes of its number.
 */
export function readJsonString(text: string, quote: number): { text: string; end: number } {
  let value = ''
  let at = quote + 1
  for (;;) {
    plain.lastIndex = at
    value += plain.exec(text)![0]
    at = plain.lastIndex
    const character = text[at]
    if (character === '"') return { text: cutAtNul(value), end: at + 1 }
    if (character === undefined) throw new DiskJsonError(text, at, 'parse error: premature EOF')
    if (character !== '\\') throw new DiskJsonError(text, at, 'lexical error: invalid character inside string.')
    const letter = text[at + 1]
    if (letter === 'u') {
      const read = readCodePoint(text, at)
      value += read.text
      at = read.end
    } else {
      const meant = letter === undefined ? undefined : escapes.get(letter)
      if (meant === undefined) throw new DiskJsonError(text, at, badEscape)
      value += meant
      at += 2
    }
  }
}

const badEscape = "lexical error: inside a string, '\\' occurs before a character which it may not."

function readCodePoint(text: string, backslash: number): { text: string; end: number } {
  const unit = readHex(text, backslash)
  const end = backslash + 6
  if ((unit & 0xfc00) === 0xdc00) return { text: bytesOf(unit), end }
  if ((unit & 0xfc00) !== 0xd800) return { text: String.fromCharCode(unit), end }
  if (text[end] !== '\\' || text[end + 1] !== 'u') return { text: '?', end }
  const low = readHex(text, end)
  return { text: String.fromCodePoint(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff)), end: end + 6 }
}

function readHex(text: string, backslash: number): number {
  hex.lastIndex = backslash + 1
  const digits = hex.exec(text)?.[1]
  if (digits === undefined) {
    const reason = "lexical error: invalid (non-hex) character occurs after '\\u' inside string."
    throw new DiskJsonError(text, backslash, reason)
  }
  return Number.parseInt(digits, 16)
}

/** A surrogate's three bytes are no UTF-8; see byte-text.ts for how such bytes stand in a text. */
const bytesOf = (unit: number): string =>
  String.fromCharCode(0xdc00 | 0xe0 | (unit >> 12), 0xdc80 | ((unit >> 6) & 0x3f), 0xdc80 | (unit & 0x3f))

function cutAtNul(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}
