import { Buffer } from 'node:buffer'

/** A guest that writes numbers, one after the other, to its disks by turns. */
export interface NumberedGuest {
  /** How many disks it writes to: 1 to 4. */
  disks: number
  /** How many sectors of each it writes to; the boot sector of the first is none of them. */
  sectors: number
}

/** What the guest writes to the debug console: when it runs, before each number whose write has succeeded, and when one fails. */
const says = { runs: 1, wrote: 0x77, failed: 2 } as const

const origin = 0x7c00
const packet = 0x7cd0
const counter = 0x7ce0
const buffer = 0x8000

const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff]
const long = (value: number): number[] => [...word(value & 0xffff), ...word(value >>> 16)]

/** The program, in 16-bit code: extended writes of the BIOS, a sector each. */
function program({ disks, sectors }: NumberedGuest): number[] {
  const start = [
    [0x31, 0xc0], // xor ax, ax
    [0x8e, 0xd8], // mov ds, ax
    [0x8e, 0xd0], // mov ss, ax
    [0xbc, ...word(origin)], // mov sp, origin
    [0xb0, says.runs], // mov al, runs
    [0xe6, 0xe9], // out 0xe9, al
  ].flat()
  const write = [
    [0x66, 0xff, 0x06, ...word(counter)], // inc dword [counter]
    [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
    [0x66, 0xa3, ...word(buffer)], // mov [buffer], eax
    [0x66, 0x31, 0xd2], // xor edx, edx
    [0x66, 0xb9, ...long(disks)], // mov ecx, disks
    [0x66, 0xf7, 0xf1], // div ecx
    [0x88, 0xd3], // mov bl, dl
    [0x80, 0xc3, 0x80], // add bl, 0x80: which hard disk
    [0x66, 0x31, 0xd2], // xor edx, edx
    [0x66, 0xb9, ...long(sectors)], // mov ecx, sectors
    [0x66, 0xf7, 0xf1], // div ecx
    [0x42], // inc dx
    [0x89, 0x16, ...word(packet + 8)], // mov [packet.lba], dx
    // a failed write leaves 0 there, and the next one would write nothing
    [0xc7, 0x06, ...word(packet + 2), ...word(1)], // mov word [packet.count], 1
    [0xbe, ...word(packet)], // mov si, packet
    [0xb8, 0x00, 0x43], // mov ax, 0x4300: extended write
    [0x88, 0xda], // mov dl, bl
    [0xcd, 0x13], // int 0x13
  ].flat()
  const report = [
    [0xb0, says.wrote], // mov al, wrote
    [0xe6, 0xe9], // out 0xe9, al
    [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
    ...[1, 2, 3, 4].map(() => [0xe6, 0xe9, 0x66, 0xc1, 0xe8, 0x08]), // out 0xe9, al; shr eax, 8
  ].flat()
  const fails = [
    [0xb0, says.failed], // mov al, failed
    [0xe6, 0xe9], // out 0xe9, al
    [0xf4], // hlt
    [0xeb, 0xfd], // jmp to the hlt
  ].flat()
  const skip = [0x72, report.length + 3] // jc fails
  const back = -(write.length + skip.length + report.length + 3)
  return [...start, ...write, ...skip, ...report, 0xe9, ...word(back & 0xffff), ...fails]
}

/**
 * The first sector of the first disk: booted, it counts and never ends.
 *
 * @param after the number that it goes on behind; by default it counts from one
 */
export function guestSector(guest: NumberedGuest, after = 0): Buffer {
  const code = program(guest)
  if (code.length > packet - origin) throw new RangeError('the program is too long')
  const sector = Buffer.alloc(512)
  sector.set(code)
  // the BIOS's disk address packet: its size, one sector, from the buffer, to a place that the program fills in
  sector.set([0x10, 0, ...word(1), ...word(buffer), ...word(0), ...long(0), ...long(0)], packet - origin)
  sector.set(long(after), counter - origin)
  sector.set([0x55, 0xaa], 510)
  return sector
}

/** How many bytes each of its disks has at least. */
export const guestDiskSize = ({ sectors }: NumberedGuest): number => Math.ceil(((sectors + 1) * 512) / 65_536) * 65_536

/** Which disk a number is written to, and into which of its sectors. */
export const placeOf = ({ disks, sectors }: NumberedGuest, number: number): { disk: number; sector: number } => ({
  disk: number % disks,
  sector: 1 + (Math.floor(number / disks) % sectors),
})

/**
 * How many of the guest's writes its disks hold, which have to be the first ones, all of them and nothing else.
 *
 * @throws Error where they hold anything that they never held at one moment
 */
export function writesIn(guest: NumberedGuest, disks: readonly Uint8Array[]): number {
  const { sectors } = guest
  const views = disks.map(disk => new DataView(disk.buffer, disk.byteOffset, disk.byteLength))
  const numberAt = (disk: number, sector: number) => views[disk]!.getUint32(sector * 512, true)
  let last = 0
  for (let disk = 0; disk < guest.disks; disk++)
    for (let sector = 1; sector <= sectors; sector++) last = Math.max(last, numberAt(disk, sector))
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

/** The number of the last write that the guest has reported, of what it wrote to the debug console. */
export function lastReported(console: Uint8Array): number {
  const view = new DataView(console.buffer, console.byteOffset, console.byteLength)
  for (let at = console.length - 5; at >= 0; at--)
    // each report is five bytes, and follows another or the first byte
    if (console[at] === says.wrote && (at - 1) % 5 === 0) return view.getUint32(at + 1, true)
  return 0
}
