import type { Buffer } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { exportNameMax } from '../protocol.js'

/** A name that is too long, or a length that points past the end. */
export class BadOption extends Error {}

/** What INFO and GO ask. @throws BadOption */
export function readInfoRequest(data: Buffer): { name: string; wanted: number[] } {
  const reader = new OptionReader(data)
  const name = reader.text()
  const wanted = Array.from({ length: reader.uint16() }, () => reader.uint16())
  reader.end()
  return { name, wanted }
}

/** What LIST_META_CONTEXT and SET_META_CONTEXT ask. @throws BadOption */
export function readContextRequest(data: Buffer): { name: string; queries: string[] } {
  const reader = new OptionReader(data)
  const name = reader.text()
  const count = reader.uint32()
  const queries: string[] = []
  // each takes four bytes at least, so that the data bounds them
  for (let index = 0; index < count; index++) queries.push(reader.text())
  reader.end()
  return { name, queries }
}

/** @throws BadOption */
export function readName(bytes: Buffer): string {
  if (bytes.length > exportNameMax) throw new BadOption(`a name of ${bytes.length} bytes`)
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!name.includes('\0')) return name
  } catch {
    // told below
  }
  throw new BadOption('a name that is no UTF-8 without NUL')
}

class OptionReader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  uint16(): number {
    return this.#take(2).readUInt16BE()
  }

  uint32(): number {
    return this.#take(4).readUInt32BE()
  }

  text(): string {
    return readName(this.#take(this.uint32()))
  }

  end(): void {
    if (this.#at !== this.#data.length) throw new BadOption('more data than the option has')
  }

  #take(size: number): Buffer {
    if (size > this.#data.length - this.#at) throw new BadOption('a length that points past the end')
    this.#at += size
    return this.#data.subarray(this.#at - size, this.#at)
  }
}
