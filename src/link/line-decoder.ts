import { ChunkList } from './chunk-list.js'
import type { Decoder } from './framing.js'
import { LinkError } from './link-error.js'

const lineFeed = 0x0a

/** Cuts bytes into lines, which a line feed ends each. */
export class LineDecoder implements Decoder<Uint8Array> {
  readonly #longest: number
  readonly #rest = new ChunkList()

  /** `longest` is how many bytes a line may have without its end. */
  constructor(longest = 64 * 1024 * 1024) {
    this.#longest = longest
  }

  get unfinished(): number {
    return this.#rest.length
  }

  /** @throws LinkError EPROTO where a line is too long */
  push(bytes: Uint8Array, take: (line: Uint8Array) => void): void {
    let at = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, at)) {
      this.#rest.push(bytes.subarray(at, end))
      at = end + 1
      this.#check()
      take(this.#rest.takeAll())
    }
    this.#rest.push(bytes.subarray(at))
    this.#check()
  }

  #check(): void {
    if (this.#rest.length > this.#longest) {
      throw new LinkError('EPROTO', `a line of more than ${this.#longest} bytes`)
    }
  }
}
