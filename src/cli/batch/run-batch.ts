import { isAscii } from 'node:buffer'
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

function resultLines(bytes: Buffer, separator: number, strict: boolean): string {
  // Bytes and characters are the same then: one string for the whole block is far cheaper than one a spec.
  const ascii = isAscii(bytes) ? bytes.toString('latin1') : undefined
  const separatorText = String.fromCharCode(separator)
  let lines = ''
  for (let start = 0, next: number; start < bytes.length; start = next + 1) {
    next = ascii === undefined ? bytes.indexOf(separator, start) : ascii.indexOf(separatorText, start)
    if (next < 0) next = bytes.length
    if (next - start > longestSpec) lines += tooLongLine(bytes.subarray(start, next))
    else lines += resultLine(ascii?.slice(start, next) ?? decodeText(bytes.subarray(start, next)), strict)
  }
  return lines
}
