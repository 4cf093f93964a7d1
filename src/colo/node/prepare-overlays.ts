import { execFile } from 'node:child_process'
import { open, rm, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { promisify } from 'node:util'
import { checkArray, checkInteger, checkObject, checkText } from '../../check-argument.js'
import { printable } from '../../printable.js'
import type { OverlayFiles } from '../become-secondary.js'
import { ColoError } from '../colo-error.js'

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
  checkArray('overlays', overlays, 'overlays')
  for (const [index, { active, hidden, size }] of overlays.entries()) {
    checkText(`overlays[${index}].active`, active)
    checkText(`overlays[${index}].hidden`, hidden)
    if (typeof size === 'number') checkInteger(`overlays[${index}].size`, size, 512, Number.MAX_SAFE_INTEGER)
    else checkObject(`overlays[${index}].size`, size)
  }
  const wanted: { file: string; size: number }[] = []
  for (const { active, hidden, size } of overlays) {
    const bytes = typeof size === 'number' ? size : (await imageInfo(size.image, size.format)).virtualSize
    if (active === hidden) throw refusal(active, 'it is both the active and the hidden overlay: name two files')
    wanted.push({ file: active, size: bytes }, { file: hidden, size: bytes })
  }
  const files = new Set(wanted.map(({ file }) => file))
  if (files.size < wanted.length) throw refusal(wanted[0]!.file, 'two disks have the same overlay: name one for each')
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

/** Whether a fitting overlay is there. @throws ColoError overlay where something else is */
async function isThere({ file, size }: { file: string; size: number }): Promise<boolean> {
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw refusal(file, error.message, error)
  })
  if (stats === undefined) return false
  if (!stats.isFile()) throw refusal(file, 'it is no regular file: overlays are made as files')
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
