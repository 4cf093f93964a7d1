import { Buffer } from 'node:buffer'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

export const mebibyte = 1024 * 1024

/** Makes a raw image, sparse but for so many bytes of data at its beginning, in whole MiB, and a boot sector. */
export function makeDisk(
  path: string,
  { size, data = 0, boot }: { size: number; data?: number; boot?: Uint8Array },
): void {
  const file = openSync(path, 'wx')
  for (let at = 0; at < data; at += mebibyte)
    writeSync(file, Buffer.alloc(mebibyte, 1 + ((at / mebibyte) % 255)), 0, mebibyte, at)
  if (boot !== undefined) writeSync(file, boot, 0, boot.length, 0)
  ftruncateSync(file, size)
  closeSync(file)
}
