import { Buffer } from 'node:buffer'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkArray } from '../../check-argument.js'
import { printable } from '../../printable.js'
import { checkWords } from '../arguments/check-address.js'
import { ColoError } from '../colo-error.js'
import type { RecordStore } from '../records/record-store.js'

/** The most that a record has, in bytes. */
const largestRecord = 64 * 1024

/**
 * Keeps the records in a folder, which is made. An image's path comes from its QEMU and is not trusted: its hash names the file. Put the
 * folder where the disks are, so that both go together.
 */
export function recordFolder(directory: string): RecordStore {
  checkWords('directory', directory)
  const pathOf = (image: string) => join(directory, `${createHash('sha256').update(image).digest('hex')}.json`)
  return {
    read: image => readText(pathOf(image)),
    async write(image, text) {
      await makeFolder(directory)
      await writeDurably(pathOf(image), text)
    },
  }
}

/** Keeps each record beside its image, as `IMAGE.colo.json`; only of these images, as a QEMU may name any. */
export function recordsBeside(images: readonly string[]): RecordStore {
  checkArray('images', images, 'paths')
  for (const [index, image] of images.entries()) checkWords(`images[${index}]`, image)
  const known = new Set(images.map(image => resolve(image)))
  const pathOf = (image: string) => {
    if (known.has(image)) return `${image}.colo.json`
    throw new ColoError('record', `QEMU's disk has the image ${printable(image)}, which was not said`)
  }
  return {
    read: async image => readText(pathOf(image)),
    write: async (image, text) => writeDurably(pathOf(image), text),
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(largestRecord + 1) })
      return bytesRead > largestRecord ? '' : buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ColoError('record', `cannot read the record ${printable(path)}: ${printable((error as Error).message)}`, {
      cause: error,
    })
  }
}

/** The folder itself outlives a crash too. */
async function makeFolder(directory: string): Promise<void> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 })
    if (made === undefined) return
    const first = resolve(made)
    for (let at = resolve(directory); ; at = dirname(at)) {
      await syncFolder(dirname(at))
      if (at === first || at === dirname(at)) return
    }
  } catch (error) {
    const why = `cannot make the folder ${printable(directory)}: ${printable((error as Error).message)}`
    throw new ColoError('record', why, { cause: error })
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The old text or the new one is there, whatever happens: never a part. */
async function writeDurably(path: string, text: string): Promise<void> {
  if (Buffer.byteLength(text) > largestRecord)
    throw new ColoError('record', `a record of more than ${largestRecord} bytes is not written: ${printable(path)}`)
  // its own, so that two who write at once do not rename each other's half
  const draft = `${path}.${randomUUID()}.new`
  try {
    // nothing is written through a link
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new ColoError(
      'record',
      `cannot write the record ${printable(path)}: ${printable((error as Error).message)}`,
      {
        cause: error,
      },
    )
  }
}
