import { Buffer } from 'node:buffer'

/** How many sectors it writes to, one after the other and again. */
const sectors = 64
const sectorSize = 512
/** Between two writes, in microseconds. */
const pace = 20_000

const origin = 0x7c00
const packet = 0x7dc0
const counter = 0x7dd8
const buffer = 0x8000

const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff]
const long = (value: number): number[] => [...word(value & 0xffff), ...word(value >>> 16)]

/** An extended read or write of the BIOS, of the one sector whose number is in the packet. */
const transfer = (what: number): number[] =>
  [
    // a failed one leaves 0 there, and the next one would do nothing
    [0xc7, 0x06, ...word(packet + 2), ...word(1)], // mov word [packet.count], 1
    [0xbe, ...word(packet)], // mov si, packet
    [0xb8, 0x00, what], // mov ax, what
    [0xb2, 0x80], // mov dl, 0x80
    [0xcd, 0x13], // int 0x13
  ].flat()

/** What it says on the debug console when it begins: this, and the number that it goes on behind. */
const begins = 0x42

/**
 * The boot sector of a guest that looks for the newest number on its disk, says it, and writes those after it, slowly: each to a sector, all over.
 * A write that fails is done again.
 */
export function countingSector(): Buffer {
  const start = [
    [0x31, 0xc0], // xor ax, ax
    [0x8e, 0xd8], // mov ds, ax
    [0x8e, 0xc0], // mov es, ax
    [0x8e, 0xd0], // mov ss, ax
    [0xbc, ...word(origin)], // mov sp, origin
    [0xb9, ...word(sectors)], // mov cx, sectors
  ].flat()
  const read = [
    [0x89, 0x0e, ...word(packet + 8)], // mov [packet.lba], cx
    [0x51], // push cx
    ...[transfer(0x42)],
    [0x59], // pop cx
  ].flat()
  const compare = [
    [0x66, 0xa1, ...word(buffer)], // mov eax, [buffer]
    [0x66, 0x3b, 0x06, ...word(counter)], // cmp eax, [counter]
    [0x76, 0x04], // jbe over the next
    [0x66, 0xa3, ...word(counter)], // mov [counter], eax
  ].flat()
  const scan = [...read, 0x72, -(read.length + 2) & 0xff, ...compare] // jc read
  const loop = [0xe2, -(scan.length + 2) & 0xff] // loop read
  const say = [
    [0xb0, begins, 0xe6, 0xe9], // mov al, begins; out 0xe9, al
    [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
    ...[1, 2, 3, 4].map(() => [0xe6, 0xe9, 0x66, 0xc1, 0xe8, 0x08]), // out 0xe9, al; shr eax, 8
  ].flat()
  const next = [0x66, 0xff, 0x06, ...word(counter)] // inc dword [counter]
  const write = [
    [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
    [0xbf, ...word(buffer)], // mov di, buffer
    [0xb9, ...word(sectorSize / 4)], // mov cx, a sector
    [0xf3, 0x66, 0xab], // rep stosd
    [0x66, 0x31, 0xd2], // xor edx, edx
    [0x66, 0xb9, ...long(sectors)], // mov ecx, sectors
    [0x66, 0xf7, 0xf1], // div ecx
    [0x42], // inc dx
    [0x89, 0x16, ...word(packet + 8)], // mov [packet.lba], dx
    ...[transfer(0x43)],
  ].flat()
  const again = [0x72, -(write.length + 2) & 0xff] // jc write
  const wait = [
    [0x31, 0xc9], // xor cx, cx
    [0xba, ...word(pace)], // mov dx, pace
    [0xb4, 0x86], // mov ah, 0x86
    [0xcd, 0x15], // int 0x15: wait
  ].flat()
  const body = [...next, ...write, ...again, ...wait]
  const code = [...start, ...scan, ...loop, ...say, ...body, 0xe9, ...word(-(body.length + 3) & 0xffff)]
  if (code.length > packet - origin) throw new RangeError('the program is too long')
  const sector = Buffer.alloc(sectorSize)
  sector.set(code)
  sector.set([0x10, 0, ...word(1), ...word(buffer), ...word(0), ...long(0), ...long(0)], packet - origin)
  sector.set([0x55, 0xaa], 510)
  return sector
}

/** The numbers that the guest went on behind, each time that it was booted, of what it wrote to the debug console. */
export const beginnings = (console: Buffer): number[] =>
  Array.from({ length: Math.floor(console.length / 5) }, (_, index) => console.readUInt32LE(index * 5 + 1))

/** The newest number on a disk. @throws Error where a sector is torn, or an earlier number is missing */
export function newestNumber(disk: Buffer): number {
  const numbers = Array.from({ length: sectors }, (_, index) => {
    const sector = disk.subarray((index + 1) * sectorSize, (index + 2) * sectorSize)
    const number = sector.readUInt32LE(0)
    for (let at = 4; at < sectorSize; at += 4)
      if (sector.readUInt32LE(at) !== number) throw new Error(`sector ${index + 1} is torn`)
    return number
  })
  const newest = Math.max(...numbers)
  for (let number = Math.max(1, newest - sectors + 1); number <= newest; number++)
    if (numbers[number % sectors] !== number)
      throw new Error(`of ${newest}, the number ${number} is missing: there is ${numbers[number % sectors]}`)
  return newest
}
