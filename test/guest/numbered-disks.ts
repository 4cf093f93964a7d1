import type { NumberedGuest } from './numbered-guest.js'

/** How many bytes each of its disks has at least. */
export const guestDiskSize = ({ sectors }: NumberedGuest): number => Math.ceil(((sectors + 1) * 512) / 65_536) * 65_536

/** Which disk a number is written to, and into which of its sectors. */
export const placeOf = ({ disks, sectors }: NumberedGuest, number: number): { disk: number; sector: number } => ({
  disk: number % disks,
  sector: 1 + (Math.floor(number / disks) % sectors),
})

const numberIn = (disk: Uint8Array, sector: number): number =>
  new DataView(disk.buffer, disk.byteOffset, disk.byteLength).getUint32(sector * 512, true)

/** The last number that is on any of these disks; 0 for none. */
export function lastNumber({ sectors }: NumberedGuest, disks: readonly Uint8Array[]): number {
  let last = 0
  for (const disk of disks)
    for (let sector = 1; sector <= sectors; sector++) last = Math.max(last, numberIn(disk, sector))
  return last
}

/**
 * How many of the guest's writes its disks hold, which have to be the first ones, all of them and nothing else.
 *
 * @throws Error where they hold anything that they never held at one moment
 */
export function writesIn(guest: NumberedGuest, disks: readonly Uint8Array[]): number {
  const { sectors } = guest
  const numberAt = (disk: number, sector: number) => numberIn(disks[disk]!, sector)
  const last = lastNumber(guest, disks)
  const all = guest.disks * sectors
  const found = new Set<string>()
  for (let number = Math.max(1, last - all + 1); number <= last; number++) {
    const { disk, sector } = placeOf(guest, number)
    found.add(`${disk}.${sector}`)
    const there = numberAt(disk, sector)
    if (there !== number)
      throw new Error(`of ${last} writes sector ${sector} of disk ${disk} has ${there}, not ${number}`)
  }
  for (let disk = 0; disk < guest.disks; disk++)
    for (let sector = 1; sector <= sectors; sector++) {
      const there = numberAt(disk, sector)
      if (there !== 0 && !found.has(`${disk}.${sector}`))
        throw new Error(`of ${last} writes sector ${sector} of disk ${disk} has ${there}`)
    }
  return last
}
