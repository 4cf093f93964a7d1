import { Buffer } from 'node:buffer'
import { RangeLock } from '../../link/range-lock.js'
import type { BlockBackend } from '../../nbd/block-backend.js'
import { granuleSize } from '../wire/message.js'

/** A local image, whose changes and fills of the same bytes follow each other. */
export class GuardedImage {
  readonly image: BlockBackend
  readonly #ranges = new RangeLock()

  constructor(image: BlockBackend) {
    this.image = image
  }

  /** Whether nobody is at work there: then what is done at once needs no lock. */
  isFree(offset: number, length: number): boolean {
    return this.#ranges.isFree(offset, length)
  }

  /** Does some work there alone. */
  alone(offset: number, length: number, work: () => void | Promise<void>): Promise<void> {
    return this.#ranges.hold(offset, length, work)
  }

  /**
   * Reads a granule, and uses its bytes before anybody can write there. They are the caller's.
   *
   * @returns nothing where it was done at once @throws, rejects with, the image's error
   */
  readGranule(granule: number, use: (bytes: Uint8Array) => void): void | Promise<void> {
    const { image } = this
    const offset = granule * granuleSize
    const length = Math.min(granuleSize, image.size - offset)
    if (image.readInto !== undefined && this.isFree(offset, length)) {
      const bytes = Buffer.allocUnsafeSlow(length)
      image.readInto(offset, bytes)
      use(bytes)
      return
    }
    return this.alone(offset, length, async () => use(await image.read(offset, length)))
  }
}
