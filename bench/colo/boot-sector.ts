import { Buffer } from 'node:buffer'

/** How many sectors are written before the first one is written again: all of a disk of 1 MiB but the boot sector. */
export const numberedSectors = 2047
/** What the guest writes to the debug console when it runs: nothing that QEMU prints of its own. */
export const booted = '\x01'
/** What it writes there when a write fails; it halts then. */
export const failed = '\x02'

// where its data is in memory: the first two in the boot sector itself, which the BIOS loads at 0x7c00
const origin = 0x7c00
const packet = 0x7c80
const counter = 0x7c90
const buffer = 0x8000

const word = (value: number): number[] => [value & 0xff, value >> 8]
const long = (value: number): number[] => [...word(value & 0xffff), ...word(value >>> 16)]

const start = [
  [0x31, 0xc0], // xor ax, ax
  [0x8e, 0xd8], // mov ds, ax
  [0x8e, 0xd0], // mov ss, ax
  [0xbc, ...word(origin)], // mov sp, origin
  [0xb0, booted.charCodeAt(0)], // mov al, booted
  [0xe6, 0xe9], // out 0xe9, al
].flat()

const loop = [
  [0x66, 0xff, 0x06, ...word(counter)], // inc dword [counter]
  [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
  [0x66, 0xa3, ...word(buffer)], // mov [buffer], eax
  [0x66, 0x31, 0xd2], // xor edx, edx
  [0x66, 0xb9, ...long(numberedSectors)], // mov ecx, numberedSectors
  [0x66, 0xf7, 0xf1], // div ecx
  [0x42], // inc dx
  [0x89, 0x16, ...word(packet + 8)], // mov [packet.lba], dx
  [0xbe, ...word(packet)], // mov si, packet
  [0xb8, 0x00, 0x43], // mov ax, 0x4300: extended write
  [0xb2, 0x80], // mov dl, 0x80: the first hard disk
  [0xcd, 0x13], // int 0x13
].flat()

const end = [
  [0x73, 0x100 - loop.length - 2], // jnc loop
  [0xb0, failed.charCodeAt(0)], // mov al, failed
  [0xe6, 0xe9], // out 0xe9, al
  [0xf4], // hlt
  [0xeb, 0xfd], // jmp to the hlt
].flat()

/** The BIOS's disk address packet: its size, one sector, from the buffer, to a place that the program fills in. */
const addressPacket = [0x10, 0, ...word(1), ...word(buffer), ...word(0), ...long(0), ...long(0)]

/**
 * A boot sector whose program counts from one and writes each number into a sector of its own, `sectorOf`, by the BIOS, one after the
 * other and without end. Booted again it counts from one again.
 */
export function bootSector(): Buffer {
  const sector = Buffer.alloc(512)
  sector.set([...start, ...loop, ...end])
  sector.set(addressPacket, packet - origin)
  sector.set([0x55, 0xaa], 510)
  return sector
}

/** Where a number is written. */
export const sectorOf = (number: number): number => 1 + (number % numberedSectors)
