import { booted, failed, numberedSectors } from '../../../bench/colo/boot-sector.js'

// where its data is in memory: the first two in the boot sector itself, which the BIOS loads at 0x7c00
const origin = 0x7c00
const packet = 0x7c80
const counter = 0x7c90
const buffer = 0x8000

const word = (value: number): number[] => [value & 0xff, value >> 8]
const long = (value: number): number[] => [...word(value & 0xffff), ...word(value >>> 16)]
const print = (text: string): number[] => [0xb0, text.charCodeAt(0), 0xe6, 0xe9] // mov al, …; out 0xe9, al

const start = [
  [0x31, 0xc0], // xor ax, ax
  [0x8e, 0xd8], // mov ds, ax
  [0x8e, 0xd0], // mov ss, ax
  [0xbc, ...word(origin)], // mov sp, origin
  print(booted),
].flat()

const count = [
  [0x66, 0xff, 0x06, ...word(counter)], // inc dword [counter]
  [0x66, 0xa1, ...word(counter)], // mov eax, [counter]
  [0x66, 0xa3, ...word(buffer)], // mov [buffer], eax
  [0x66, 0x31, 0xd2], // xor edx, edx
  [0x66, 0xb9, ...long(numberedSectors)], // mov ecx, numberedSectors
  [0x66, 0xf7, 0xf1], // div ecx
  [0x42], // inc dx
  [0x89, 0x16, ...word(packet + 8)], // mov [packet.lba], dx
].flat()

/** The BIOS says in the packet how many sectors it wrote. */
const write = (drive: number): number[] =>
  [
    [0xc7, 0x06, ...word(packet + 2), ...word(1)], // mov word [packet.count], 1
    [0xbe, ...word(packet)], // mov si, packet
    [0xb8, 0x00, 0x43], // mov ax, 0x4300: extended write
    [0xb2, drive], // mov dl, drive
    [0xcd, 0x13], // int 0x13
  ].flat()

const second = write(0x81)
const loop = [...count, ...write(0x80), 0x72, second.length + 2, ...second] // jc to the end, over the second and its jnc
const end = [[0x73, 0x100 - loop.length - 2], print(failed), [0xf4], [0xeb, 0xfd]].flat() // jnc loop; …; hlt

/**
 * A boot sector whose program counts from one and writes each number to two disks, the first one first: at any moment the last
 * number of the first disk is that of the second, or one more.
 */
export function twoDiskSector(): Buffer {
  const sector = Buffer.alloc(512)
  sector.set([...start, ...loop, ...end])
  sector.set([0x10, 0, ...word(1), ...word(buffer), ...word(0), ...long(0), ...long(0)], packet - origin)
  sector.set([0x55, 0xaa], 510)
  return sector
}
