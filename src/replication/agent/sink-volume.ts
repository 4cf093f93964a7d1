import type { BlockBackend } from '../../nbd/block-backend.js'
import { NbdError } from '../../nbd/nbd-error.js'
import type { StreamMessage } from '../wire/message.js'
import { unplaced } from './group-stream.js'

/** Who waits for room in the stream. */
export interface RoomWaiter {
  go(): void
  fail(): void
}

/** What a volume needs of its group. */
export interface SinkStream {
  /** How much data a message may have, in bytes, so that there is room for it when there is room at all. */
  readonly pieceAtMost: number
  /** @returns whether a stream took it */
  append(message: StreamMessage): boolean
  /** Calls `go` when there is room for more, or `fail`. */
  whenRoom(waiter: RoomWaiter): void
  /** Settles when the hub has durably what was written before. */
  flush(): Promise<void>
}

/** A disk that can be written only: all of it goes to the hub, at the pace of the hub. */
export class SinkVolume implements BlockBackend {
  readonly name: string
  readonly number: number
  readonly size: number
  readonly #group: SinkStream
  readonly #isCopy: boolean

  /** @param isCopy whether what comes is not what the guest writes, but a copy that makes the replica equal */
  constructor(
    group: SinkStream,
    { name, number, size, isCopy }: { name: string; number: number; size: number; isCopy: boolean },
  ) {
    this.name = name
    this.number = number
    this.size = size
    this.#group = group
    this.#isCopy = isCopy
  }

  /** Fails with EIO: nothing is kept here. */
  read(): never {
    throw new NbdError('EIO', 'this export takes writes only: what they wrote is at the hub')
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    const kind = this.#isCopy ? 'fill' : 'write'
    const volume = this.number
    const pieces: Promise<void>[] = []
    const { pieceAtMost } = this.#group
    // all at once: what comes after this call comes after it in the stream
    for (let at = 0; at < data.length; at += pieceAtMost)
      pieces.push(
        this.#take({ kind, volume, offset: offset + at, data: data.subarray(at, at + pieceAtMost), ...unplaced }),
      )
    await Promise.all(pieces)
  }

  writeZeroes(offset: number, length: number): Promise<void> {
    const kind = this.#isCopy ? 'fillZero' : 'zero'
    return this.#take({ kind, volume: this.number, offset, length, ...unplaced })
  }

  /** Does nothing: what the image makes of it is not known here. */
  trim(): void {}

  /** Settles when the hub has durably what was written before. */
  async flush(): Promise<void> {
    await this.#group.flush().catch(() => {
      throw lost()
    })
  }

  #take(message: StreamMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(lost())
      const go = () => {
        if (this.#group.append(message)) resolve()
        else fail()
      }
      this.#group.whenRoom({ go, fail })
    })
  }
}

const lost = () => new NbdError('EIO', 'the hub does not take this volume now')
