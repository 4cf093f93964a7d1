/** A stretch of the input: whole specs, each ended by the separator (the input's last one may lack it); or one too long. */
export type SpecBlock = { kind: 'specs'; bytes: Buffer } | { kind: 'too-long'; head: Buffer }

/** A longer spec is refused, so that memory stays bounded. No word of a command line can be as long. */
export const longestSpec = 0x100000

const chunk = 0x4000

/**
 * Cuts input into blocks of whole specs. Each read is answered at once, so that a conversation over two pipes works.
 * A block's bytes are valid until the next one is asked for.
 */
export function* specBlocks(read: (buffer: Uint8Array) => number, separator: number): Generator<SpecBlock> {
  let buffer: Buffer = Buffer.allocUnsafe(chunk)
  let used = 0
  let skipping = false
  for (;;) {
    if (used === buffer.length) buffer = enlarged(buffer)
    const length = read(buffer.subarray(used))
    if (length === 0) break
    const fresh = buffer.subarray(used, used + length)
    used += length
    if (skipping) {
      const end = fresh.indexOf(separator)
      used = end < 0 ? 0 : fresh.copy(buffer, 0, end + 1)
      if (end < 0) continue
      skipping = false
    }
    const end = buffer.subarray(0, used).lastIndexOf(separator) + 1
    if (end > 0) {
      yield { kind: 'specs', bytes: buffer.subarray(0, end) }
      used = buffer.copy(buffer, 0, end, used)
    } else if (used > longestSpec) {
      yield { kind: 'too-long', head: buffer.subarray(0, used) }
      skipping = true
      used = 0
    }
  }
  if (used > 0) yield { kind: 'specs', bytes: buffer.subarray(0, used) }
}

function enlarged(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(2 * buffer.length, longestSpec + chunk))
  buffer.copy(larger)
  return larger
}
