import type { BlockBackend } from '#xenlight/nbd/block-backend.js'
import type { Random } from '../../../support/random.js'
import type { PlayedBytes } from './played-bytes.js'

const failure = () => Object.assign(new Error('the disk is broken'), { code: 'EIO' })

/** An image that is written at once, or when it is told to. */
export class PlayedImage implements BlockBackend {
  readonly size: number
  readonly readInto?: (offset: number, target: Uint8Array) => void
  readonly #bytes: PlayedBytes
  readonly #isAsync: boolean
  readonly #random: Random
  #pending: { work(): unknown; resolve(value: unknown): void; reject(error: Error): void }[] = []
  /** How many of the next writes fail. */
  failing = 0

  constructor(bytes: PlayedBytes, size: number, isAsync: boolean, random: Random) {
    this.#bytes = bytes
    this.size = size
    this.#isAsync = isAsync
    this.#random = random
    if (!isAsync)
      this.readInto = (offset, target) => {
        target.set(bytes.now.subarray(offset, offset + target.length))
      }
  }

  get isBusy(): boolean {
    return this.#pending.length > 0
  }

  /** One of those under way is done, in any order. */
  step(): void {
    const [one] = this.#pending.splice(this.#random.int(this.#pending.length), 1)
    if (one === undefined) return
    try {
      one.resolve(one.work())
    } catch (error) {
      one.reject(error as Error)
    }
  }

  read(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    return this.#do(() => this.#bytes.now.slice(offset, offset + length))
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    return this.#do(() => this.#write(offset, data))
  }

  writeZeroes(offset: number, length: number): void | Promise<void> {
    return this.write(offset, new Uint8Array(length))
  }

  trim(): void {}

  flush(): Promise<void> {
    return this.#bytes.sync()
  }

  /** Of what is under way, some was done. */
  crash(): void {
    this.#pending = []
  }

  #write(offset: number, data: Uint8Array): void {
    if (this.failing === 0) {
      this.#bytes.write(offset, data)
      return
    }
    this.failing--
    this.#bytes.tear(offset, data, this.#random)
    throw failure()
  }

  #do<Value>(work: () => Value): Value | Promise<Value> {
    if (!this.#isAsync) return work()
    return new Promise((resolve, reject) => this.#pending.push({ work, resolve: resolve as () => void, reject }))
  }
}
