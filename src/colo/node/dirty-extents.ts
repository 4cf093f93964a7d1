import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { checkObject } from '../../check-argument.js'
import { type Limits, longestTimeout } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { checkAddress, checkWords } from '../arguments/check-address.js'
import { checkLimited } from '../arguments/check-limits.js'
import { ColoError } from '../colo-error.js'
import type { Extent } from '../copy/copy-changes.js'

const run = promisify(execFile)

/** The most that is read: a disk in so many parts is copied whole. */
const mostText = 32 * 1024 * 1024

/**
 * Asks an NBD server which parts of an export a dirty bitmap marks, by `qemu-img map`.
 *
 * @throws ColoError changes-unknown where it cannot be asked, or says too much
 */
export async function dirtyExtents(
  where: { host: string; port: number; name: string; bitmap: string },
  limits: Limits = {},
): Promise<Extent[]> {
  checkObject('where', where)
  const { host, port, name, bitmap } = where
  checkAddress(where)
  checkWords('name', name)
  checkWords('bitmap', bitmap)
  checkLimited(limits)
  const { signal, timeout } = limits
  const options = {
    driver: 'nbd',
    server: { type: 'inet', host, port: String(port) },
    export: name,
    'x-dirty-bitmap': `qemu:dirty-bitmap:${bitmap}`,
  }
  const args = ['map', '--output=json', '-U', `json:${JSON.stringify(options)}`]
  // to execFile, 0 is no limit
  const most = timeout === undefined ? 0 : Math.max(1, Math.min(Math.ceil(timeout), longestTimeout))
  const how = { maxBuffer: mostText, timeout: most, ...(signal !== undefined && { signal }) }
  const { stdout } = await run('qemu-img', args, how).catch(error => {
    throw unknown(`qemu-img: ${printable(String(error.stderr || error.message).trim())}`, error)
  })
  const parts = partsOf(stdout)
  // a part that is dirty is said to hold no data
  return parts.flatMap((part): Extent[] => {
    const { start, length, data } = (part ?? {}) as Record<string, unknown>
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(length) || typeof data !== 'boolean')
      throw unknown('qemu-img prints a part that is none')
    return data ? [] : [{ start: start as number, length: length as number }]
  })
}

function partsOf(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(text)
    if (Array.isArray(parts)) return parts
  } catch {
    // as good as none
  }
  throw unknown('qemu-img prints no list of parts')
}

const unknown = (why: string, cause?: unknown): ColoError => new ColoError('changes-unknown', why, { cause })
