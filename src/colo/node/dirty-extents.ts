import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import type { Extent } from '../copy-changes.js'

const run = promisify(execFile)

/** The most that is read: a disk in so many parts is copied whole. */
const mostText = 32 * 1024 * 1024

/**
 * Asks an NBD server which parts of an export a dirty bitmap marks, by `qemu-img map`.
 *
 * @throws Error where it cannot be asked, or says too much
 */
export async function dirtyExtents(
  { host, port, name, bitmap }: { host: string; port: number; name: string; bitmap: string },
  { signal, timeout }: Limits,
): Promise<Extent[]> {
  const options = {
    driver: 'nbd',
    server: { type: 'inet', host, port: String(port) },
    export: name,
    'x-dirty-bitmap': `qemu:dirty-bitmap:${bitmap}`,
  }
  const args = ['map', '--output=json', '-U', `json:${JSON.stringify(options)}`]
  const limits = { maxBuffer: mostText, timeout: timeout ?? 0, ...(signal !== undefined && { signal }) }
  const { stdout } = await run('qemu-img', args, limits).catch(error => {
    throw new Error(`qemu-img: ${printable(String(error.stderr || error.message).trim())}`, { cause: error })
  })
  const parts: unknown = JSON.parse(stdout)
  if (!Array.isArray(parts)) throw new Error('qemu-img prints no list of parts')
  // a part that is dirty is said to hold no data
  return parts.flatMap((part): Extent[] => {
    const { start, length, data } = (part ?? {}) as Record<string, unknown>
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(length) || typeof data !== 'boolean')
      throw new Error('qemu-img prints a part that is none')
    return data ? [] : [{ start: start as number, length: length as number }]
  })
}
