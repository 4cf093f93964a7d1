import { Buffer } from 'node:buffer'
import type { Folder, OpenFile } from '../folder.js'
import type { VolumeInfo } from '../wire/message.js'

const imageName = (volume: VolumeInfo): string => `${volume.name}.img`
/** What is held against zeroes, or zeroed, at once, in bytes. */
const pieceSize = 1024 * 1024
const zeroes = Buffer.alloc(pieceSize)

/** The replica: a raw, sparse file for each volume, which older history is folded into. */
export class Images {
  readonly #folder: Folder
  readonly #files = new Map<number, OpenFile>()

  constructor(folder: Folder) {
    this.#folder = folder
  }

  /** What is behind the image's end, or in an image that is not there yet, is zero. */
  readInto(volume: VolumeInfo, offset: number, target: Uint8Array): void {
    const read = this.#file(volume)?.readInto(offset, target) ?? 0
    target.fill(0, read)
  }

  /** Where the image's file ends, in bytes; behind it all is zero. */
  endOf(volume: VolumeInfo): number {
    return this.#file(volume)?.size ?? 0
  }

  get size(): number {
    let size = 0
    for (const name of this.#folder.list()) {
      const file = this.#folder.open(name, 'read')
      size += file.size
      file.close()
    }
    return size
  }

  write(volume: VolumeInfo, offset: number, data: Uint8Array): void {
    this.#made(volume).write(offset, data)
  }

  /** Zeroes a part. What is zero already is not written, so that holes stay holes. */
  zero(volume: VolumeInfo, offset: number, length: number): void {
    const file = this.#made(volume)
    const end = Math.min(offset + length, file.size)
    const before = Buffer.allocUnsafe(Math.min(pieceSize, Math.max(0, end - offset)))
    for (let at = offset; at < end; at += pieceSize) {
      const piece = before.subarray(0, Math.min(pieceSize, end - at))
      const read = piece.subarray(0, file.readInto(at, piece))
      if (!zeroes.subarray(0, read.length).equals(read)) file.write(at, zeroes.subarray(0, read.length))
    }
  }

  /** All that was written is durable, and so are the files' names. */
  async sync(): Promise<void> {
    await Promise.all([...this.#files.values()].map(file => file.sync()))
    await this.#folder.sync()
  }

  close(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }

  #file(volume: VolumeInfo): OpenFile | undefined {
    const known = this.#files.get(volume.number)
    if (known !== undefined) return known
    if (!this.#folder.list().includes(imageName(volume))) return
    const file = this.#folder.open(imageName(volume), 'write')
    this.#files.set(volume.number, file)
    return file
  }

  #made(volume: VolumeInfo): OpenFile {
    const known = this.#file(volume)
    if (known !== undefined) return known
    const file = this.#folder.open(imageName(volume), 'create')
    this.#files.set(volume.number, file)
    return file
  }
}
