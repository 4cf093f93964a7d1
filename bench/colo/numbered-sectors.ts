import type { Buffer } from 'node:buffer'
import { numberedSectors, sectorOf } from './boot-sector.js'

const numberIn = (disk: Buffer, sector: number): number => disk.readUInt32LE(sector * 512)

/** The last number that the guest wrote into this disk; 0 for none. */
export function lastNumber(disk: Buffer): number {
  let last = 0
  for (let sector = 1; sector <= numberedSectors; sector++) last = Math.max(last, numberIn(disk, sector))
  return last
}

/** The disk is as it was after one of the guest's writes, with all those before it. @throws Error */
export function checkNumbers(disk: Buffer): void {
  const last = lastNumber(disk)
  for (let number = Math.max(1, last - numberedSectors + 1); number <= last; number++) {
    const found = numberIn(disk, sectorOf(number))
    if (found !== number) throw new Error(`of ${last} writes sector ${sectorOf(number)} has ${found}, not ${number}`)
  }
  for (let number = last + 1; number <= numberedSectors; number++) {
    const found = numberIn(disk, sectorOf(number))
    if (found !== 0) throw new Error(`of ${last} writes sector ${sectorOf(number)} has ${found}`)
  }
}
