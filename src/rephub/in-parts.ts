/** The same bytes in parts of a size, but for the last one. A part is good until the next one is asked for. */
export async function* inParts(
  input: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const part = new Uint8Array(size)
  let filled = 0
  for await (const chunk of input)
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + size - filled)
      part.set(taken, filled)
      filled += taken.length
      at += taken.length
      if (filled < size) continue
      yield part
      filled = 0
    }
  if (filled > 0) yield part.subarray(0, filled)
}
