import { ChunkList } from './chunk-list.js'
import type { Decoder } from './framing.js'

/** Messages that begin with a header which says how long they are. */
export interface FrameShape<In> {
  /** How long the next header is; may depend on what came before. */
  readonly headerSize: number
  /**
   * How long the frame is whose header stands at `at`, with the header. May ask which request it answers: some protocols'
   * replies do not say how long they are. @throws where it cannot be
   */
  frameSize(bytes: Uint8Array, at: number): number
  /** Reads the frame from `start` to `end`. The bytes are reused after that, unless `isOwn`. */
  decode(bytes: Uint8Array, start: number, end: number, isOwn: boolean): In
}

/** Cuts bytes into frames. Of one that comes in pieces, each piece is copied once and joined once. */
export class FrameDecoder<In> implements Decoder<In> {
  readonly #shape: FrameShape<In>
  /** The beginning of a frame whose end has not come. */
  readonly #rest = new ChunkList()
  /** How long that frame is, once its header is there. */
  #size: number | undefined

  constructor(shape: FrameShape<In>) {
    this.#shape = shape
  }

  get unfinished(): number {
    return this.#rest.length
  }

  push(bytes: Uint8Array, take: (message: In) => void): void {
    let at = this.#rest.length === 0 ? 0 : this.#finish(bytes, take)
    const shape = this.#shape
    while (bytes.length - at >= shape.headerSize && at < bytes.length) {
      const size = shape.frameSize(bytes, at)
      if (size > bytes.length - at) {
        this.#size = size
        break
      }
      take(shape.decode(bytes, at, at + size, false))
      at += size
    }
    if (at < bytes.length) this.#rest.push(bytes.subarray(at))
  }

  /** Adds what is missing of the frame begun before. @returns how many of the bytes that took */
  #finish(bytes: Uint8Array, take: (message: In) => void): number {
    const rest = this.#rest
    let at = 0
    const fill = (size: number): boolean => {
      const missing = Math.min(size - rest.length, bytes.length - at)
      rest.push(bytes.subarray(at, at + missing))
      at += missing
      return rest.length === size
    }
    if (this.#size === undefined) {
      const { headerSize } = this.#shape
      if (!fill(headerSize)) return at
      this.#size = this.#shape.frameSize(rest.head(headerSize), 0)
    }
    if (!fill(this.#size)) return at
    this.#size = undefined
    const frame = rest.takeAll()
    take(this.#shape.decode(frame, 0, frame.length, true))
    return at
  }
}
