import { Buffer } from 'node:buffer'

/** A guest that writes numbers, one after the other, to its disks by turns. */
export interface NumberedGuest {
  /** How many disks it writes to: 1 to 4. */
  disks: number
  /** How many sectors of each it writes to; the boot sector of the first is none of them. */
  sectors: number
  /** It does not report what it wrote, and writes the faster. */
  isSilent?: boolean
}

/** One disk of 1 MiB. */
export const silentGuest: NumberedGuest = { disks: 1, sectors: 2047, isSilent: true }

/** What the guest writes to the debug console when it runs: nothing that QEMU prints of its own. */
export const booted = '\x01'
/** What it writes there when a write fails; it halts then. */
export const failed = '\x02'
/** What it writes there before each number whose write has succeeded. */
const wrote = 'w'

const origin = 0x7c00
const packet = 0x7cd0
const counter = 0x7ce0
const buffer = 0x8000

const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff]
const long = (value: number): number[] => [...word(value & 0xffff), ...word(value >>> 16)]

const say = (text: string): number[] => [0xb0, text.charCodeAt(0), 0xe6, 0xe9] // mov al, text; out 0xe9, al

/** The program, in 16-bit code: extended writes of the BIOS, a sector each. */
function program({ disks, sectors, isSilent = false }: NumberedGuest): number[] {
  const start = [
    [0x31, 0xc0], // xor ax, ax
    [0x8e, 0xd8], // mov ds, ax
    [0x8e, 0xd0], // mov ss, ax
    [0xbc, ...word(origin)], // mov sp, origin
    say(booted),
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
  const number = [
    say(wrote),
    [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
    ...[1, 2, 3, 4].map(() => [0xe6, 0xe9, 0x66, 0xc1, 0xe8, 0x08]), // out 0xe9, al; shr eax, 8
  ].flat()
  const report = isSilent ? [] : number
  const fails = [
    say(failed),
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

/** The number of the last write that the guest has reported, of what it wrote to the debug console. */
export function lastReported(console: Uint8Array): number {
  const view = new DataView(console.buffer, console.byteOffset, console.byteLength)
  for (let at = console.length - 5; at >= 0; at--)
    // each report is five bytes, and follows another or the first byte
    if (console[at] === wrote.charCodeAt(0) && (at - 1) % 5 === 0) return view.getUint32(at + 1, true)
  return 0
}
