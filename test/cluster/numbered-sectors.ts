import { Buffer } from 'node:buffer'

export const sectorSize = 4096
/** How many there are: each is written again and again. */
export const sectors = 64

/** A sector that says its number all over. */
export function sectorOf(number: number): Buffer {
  const sector = Buffer.alloc(sectorSize)
  for (let at = 0; at < sectorSize; at += 8) sector.writeBigUInt64LE(BigInt(number), at)
  return sector
}

/** The newest number on a disk that was written in order. @throws Error where a sector is torn, or an earlier number is missing */
export function newestOf(disk: Buffer): number {
  const numbers = Array.from({ length: sectors }, (_, index) => {
    const sector = disk.subarray(index * sectorSize, (index + 1) * sectorSize)
    const number = Number(sector.readBigUInt64LE(0))
    if (!sector.equals(sectorOf(number))) throw new Error(`sector ${index} is torn`)
    return number
  })
  const newest = Math.max(...numbers)
  for (let number = Math.max(1, newest - sectors + 1); number <= newest; number++)
    if (numbers[number % sectors] !== number)
      throw new Error(`of ${newest}, the number ${number} is missing: there is ${numbers[number % sectors]}`)
  return newest
}
