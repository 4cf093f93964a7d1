import { execFile } from 'node:child_process'
import { lstat, open, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { checkArray, checkInteger, checkObject, checkWord } from '../../check-argument.js'
import { printable } from '../../printable.js'
import { checkWords } from '../arguments/check-address.js'
import { checkOverlayFiles } from '../arguments/check-pair-options.js'
import { ColoError } from '../colo-error.js'
import type { OverlayFiles } from '../rebuild/become-secondary.js'

const run = promisify(execFile)

/** The overlays of a disk that are to be there, and how large it is, in bytes. */
export interface WantedOverlays extends OverlayFiles {
  /** Or the image that they are for: its size is asked for. */
  size: number | { image: string; format: 'raw' | 'qcow2' }
}

/**
 * Makes the overlays of a secondary's disks, empty qcow2 images of the disk's size. One that is there already is left as it is if it is
 * an empty overlay of that size, and else nothing is made at all.
 *
 * @throws ColoError overlay
 */
export async function prepareOverlays(overlays: readonly WantedOverlays[]): Promise<void> {
  checkWanted(overlays)
  await refuseSameFile(overlays)
  const wanted: { file: string; size: number }[] = []
  for (const { active, hidden, size } of overlays) {
    const bytes = typeof size === 'number' ? size : await sizeOf(size)
    wanted.push({ file: active, size: bytes }, { file: hidden, size: bytes })
  }
  const missing: typeof wanted = []
  for (const one of wanted) if (!(await isThere(one))) missing.push(one)
  const made: string[] = []
  try {
    for (const { file, size } of missing) {
      // of the name that was free: whoever was faster keeps it
      const claim = await open(file, 'wx').catch(error => {
        throw refusal(file, error.message, error)
      })
      await claim.close()
      made.push(file)
      await qemuImg(file, ['create', '-q', '-f', 'qcow2', '--', argument(file), String(size)])
    }
  } catch (error) {
    for (const file of made) await rm(file, { force: true }).catch(() => {})
    throw error
  }
}

function checkWanted(overlays: unknown): void {
  checkArray('overlays', overlays, 'overlays')
  for (const [index, one] of (overlays as unknown[]).entries()) {
    const name = `overlays[${index}]`
    checkOverlayFiles(name, one)
    const { size } = one as { size?: unknown }
    // smaller parts than a sector no disk has
    if (typeof size === 'number') {
      checkInteger(`${name}.size / 512`, size / 512, 1, Number.MAX_SAFE_INTEGER)
      continue
    }
    checkObject(`${name}.size`, size, 'a number of bytes, or an image')
    const { image, format } = size as Record<string, unknown>
    checkWords(`${name}.size.image`, image)
    checkWord(`${name}.size.format`, format, ['raw', 'qcow2'])
  }
}

/** Two names may be one file. */
async function refuseSameFile(overlays: readonly WantedOverlays[]): Promise<void> {
  const files = overlays.flatMap(({ active, hidden }) => [active, hidden])
  const images = overlays.flatMap(({ size }) => (typeof size === 'number' ? [] : [size.image]))
  const seen = new Set<string>()
  for (const image of images) seen.add(await identityOf(image))
  for (const file of files) {
    const identity = await identityOf(file)
    if (seen.has(identity)) throw refusal(file, 'it is an overlay, or an image, already: name one file for each')
    seen.add(identity)
  }
}

async function identityOf(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  if (stats !== undefined) return `${stats.dev}:${stats.ino}`
  const folder = await realpath(dirname(file)).catch(() => dirname(file))
  return join(folder, basename(file))
}

async function sizeOf({ image, format }: { image: string; format: string }): Promise<number> {
  // to open a pipe would wait for its other end
  const stats = await stat(image).catch(error => {
    throw refusal(image, error.message, error)
  })
  if (!stats.isFile() && !stats.isBlockDevice()) throw refusal(image, 'it is to be for an image, and that is no file')
  return (await imageInfo(image, format)).virtualSize
}

/** Whether a fitting overlay is there. @throws ColoError overlay where something else is */
async function isThere({ file, size }: { file: string; size: number }): Promise<boolean> {
  const stats = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw refusal(file, error.message, error)
  })
  if (stats === undefined) return false
  if (!stats.isFile()) throw refusal(file, 'it is no regular file: name one, or none that is there')
  if (stats.size === 0) throw refusal(file, 'it is empty and no qcow2 image: remove it, if nobody needs it')
  const info = await imageInfo(file, 'qcow2')
  if (info.backing !== undefined) throw refusal(file, `it has a backing file, ${printable(info.backing)}`)
  if (info.virtualSize !== size)
    throw refusal(file, `it is of ${info.virtualSize} bytes, and the disk of ${size}: remove it, if nobody needs it`)
  if (!(await isEmpty(file)))
    throw refusal(
      file,
      'it holds data, which may be all that is left of a checkpoint: remove it only if nobody needs it',
    )
  return true
}

async function imageInfo(file: string, format: string): Promise<{ virtualSize: number; backing: string | undefined }> {
  const text = await qemuImg(file, ['info', '-U', '--output=json', '-f', format, '--', argument(file)])
  const { 'virtual-size': virtualSize, 'backing-filename': backing } = JSON.parse(text) as Record<string, unknown>
  if (typeof virtualSize !== 'number') throw refusal(file, 'qemu-img does not say its size')
  return { virtualSize, backing: typeof backing === 'string' ? backing : undefined }
}

async function isEmpty(file: string): Promise<boolean> {
  const text = await qemuImg(file, ['map', '-U', '--output=json', '-f', 'qcow2', '--', argument(file)])
  const parts = JSON.parse(text) as readonly { present?: unknown; data?: unknown; zero?: unknown }[]
  return parts.every(({ data, present }) => data !== true && present !== true)
}

/** A name with a colon would be a protocol's. */
const argument = (file: string): string => (isAbsolute(file) ? file : `./${file}`)

async function qemuImg(file: string, args: readonly string[]): Promise<string> {
  const { PATH } = process.env
  try {
    const { stdout } = await run('qemu-img', args, { maxBuffer: 1024 * 1024, env: { PATH, LC_ALL: 'C' } })
    return stdout
  } catch (error) {
    const { stderr, message, code } = error as NodeJS.ErrnoException & { stderr?: string }
    if (code === 'ENOENT') throw refusal(file, 'there is no qemu-img here: install qemu-utils', error)
    throw refusal(file, (stderr || message).trim(), error)
  }
}

const refusal = (file: string, why: string, cause?: unknown): ColoError =>
  new ColoError('overlay', `no overlay ${printable(file)}: ${printable(why)}`, { cause })
