import { Buffer } from 'node:buffer'
import type { VolumeInfo } from '../wire/message.js'
import { damaged } from './damaged.js'
import type { Images } from './images.js'
import type { RecordReader } from './record-reader.js'
import type { ViewLayer } from './view-layer.js'

/** How much is done before others get their turn, in bytes; an extent counts as if it had 4 KiB more. */
const turn = 2 * 1024 * 1024
const zeroAtOnce = 8 * 1024 * 1024

export interface FoldParts {
  /** Of the segments that are folded, the oldest first. */
  layers: readonly ViewLayer[]
  volumes: ReadonlyMap<number, VolumeInfo>
  images: Images
  reader: RecordReader
}

/** Puts segments into the images, durably. It can be done again from its beginning, however far it came. */
export async function foldInto({ layers, volumes, images, reader }: FoldParts): Promise<void> {
  let done = 0
  let buffer = Buffer.allocUnsafe(64 * 1024)
  const takeTurns = async (bytes: number): Promise<void> => {
    done += bytes + 4096
    if (done < turn) return
    done = 0
    await new Promise(resolve => setImmediate(resolve))
  }
  for (const layer of layers)
    for (const { volume: number, start, end, place } of layer.all()) {
      const volume = volumes.get(number)
      if (volume === undefined)
        throw damaged(`segment ${layer.number} has data of volume ${number}, which there is not`)
      if (place.isZero) {
        for (let at = start; at < end; at += zeroAtOnce) {
          const length = Math.min(zeroAtOnce, end - at)
          images.zero(volume, at, length)
          await takeTurns(length)
        }
        continue
      }
      const length = end - start
      if (length > buffer.length) buffer = Buffer.allocUnsafe(length)
      const data = buffer.subarray(0, length)
      reader.copy(layer.number, place.at, start - place.origin, data)
      images.write(volume, start, data)
      await takeTurns(length)
    }
  await images.sync()
}
