/** Puts messages together from bytes that come in pieces of any size. */
export interface Decoder<In> {
  /** How many bytes there are of a message whose end has not come. */
  readonly unfinished: number
  /** Calls `take` for every message that is now whole. The bytes may be reused after that. @throws what the protocol throws */
  push(bytes: Uint8Array, take: (message: In) => void): void
}

/** How a protocol's messages become bytes, and bytes messages again. */
export interface Framing<In, Out> {
  encode(message: Out): Uint8Array
  /** For one connection. */
  decoder(): Decoder<In>
}
