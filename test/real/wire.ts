/** What test/real/libxlutil-driver.c speaks: numbers little-endian, a string its u32 length and its bytes. */
const absent = 0xffffffff

/** A request: its length, its kind, its fields. A number becomes a u32, a list its count and its items. */
export function encodeRequest(kind: 'b' | 'c' | 'd', ...fields: Field[]): Buffer {
  const parts = [Buffer.alloc(4), Buffer.from(kind)]
  for (const field of fields) addField(parts, field)
  const request = Buffer.concat(parts)
  request.writeUInt32LE(request.length - 4)
  return request
}

export type Field = number | Uint8Array | readonly Uint8Array[]

function addField(parts: Uint8Array[], field: Field): void {
  if (field instanceof Uint8Array) {
    parts.push(u32(field.length), field)
  } else if (typeof field === 'number') {
    parts.push(u32(field))
  } else {
    parts.push(u32(field.length))
    for (const item of field) parts.push(u32(item.length), item)
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Takes an answer apart, front to back. */
export class AnswerReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  i32(): number {
    this.#at += 4
    return this.#bytes.readInt32LE(this.#at - 4)
  }

  u32(): number {
    return this.i32() >>> 0
  }

  i64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64LE(this.#at - 8)
  }

  string(): Buffer | undefined {
    const length = this.u32()
    if (length === absent) return undefined
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  list(): (Buffer | undefined)[] {
    return Array.from({ length: this.u32() }, () => this.string())
  }
}
