import { Buffer, isAscii } from 'node:buffer'
import { decodeText } from '../../byte-text.js'
import type { BatchCommand } from '../command.js'
import { done } from '../exit-status.js'
import type { Io } from '../io.js'
import { resultLine, tooLongLine } from './result-line.js'
import { longestSpec, specBlocks } from './spec-blocks.js'

/** Answers each spec of standard input with one line of JSON. A refused spec is a result like any other. */
export function runBatch({ separator, strict }: BatchCommand, io: Io): number {
  for (const block of specBlocks(buffer => io.readInput(buffer), separator)) {
    io.write(1, block.kind === 'too-long' ? tooLongLine(block.head) : resultLines(block.bytes, separator, strict))
  }
  return done
}

function resultLines(bytes: Buffer, separator: number, strict: boolean): string | Buffer {
  // One decoding for all and one encoding, where bytes and characters are the same: our own words are ASCII
  const text = isAscii(bytes) ? bytes.toString('latin1') : undefined
  let lines = ''
  for (let start = 0, end: number; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(separator, start)
    if (end < 0) end = bytes.length
    if (end - start > longestSpec) lines += tooLongLine(bytes.subarray(start, end))
    else lines += resultLine(text?.slice(start, end) ?? decodeText(bytes.subarray(start, end)), strict)
  }
  return text === undefined ? escapeBytes(lines) : Buffer.from(lines, 'latin1')
}

/** Bytes that are no text as the escapes that JSON.stringify gives them, as JSON is UTF-8. */
const escapeBytes = (json: string): string =>
  json.isWellFormed() ? json : json.replace(/[\ud800-\udfff]/gu, half => `\\u${half.charCodeAt(0).toString(16)}`)
