import { Buffer } from 'node:buffer'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

export const mebibyte = 1024 * 1024

/** What a guest writes at once, in bytes. */
const page = 4096

/**
 * Makes a raw image, sparse but for so many bytes of data at its beginning, in whole MiB, and a boot sector. It is written as a guest does: of a
 * large write, Linux 6.16 and newer keep one part of the cache on ext4, and each small write into it takes 60 µs, whoever serves the disk.
 */
export function makeDisk(
  path: string,
  { size, data = 0, boot }: { size: number; data?: number; boot?: Uint8Array },
): void {
  const file = openSync(path, 'wx')
  for (let at = 0; at < data; at += page)
    writeSync(file, Buffer.alloc(page, 1 + (Math.floor(at / mebibyte) % 255)), 0, page, at)
  if (boot !== undefined) writeSync(file, boot, 0, boot.length, 0)
  ftruncateSync(file, size)
  closeSync(file)
}
