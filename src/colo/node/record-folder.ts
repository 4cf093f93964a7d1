import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkArray, checkText } from '../../check-argument.js'
import { printable } from '../../printable.js'
import { ColoError } from '../colo-error.js'
import type { RecordStore } from '../record-store.js'

/** The most that is read of a record, in bytes. */
const largestRecord = 64 * 1024

/**
 * Keeps the records in a folder, which is made. An image's path comes from its QEMU and is not trusted: its hash names the file. Put the
 * folder where the disks are, so that both go together.
 */
export function recordFolder(directory: string): RecordStore {
  checkText('directory', directory)
  const pathOf = (image: string) => join(directory, `${createHash('sha256').update(image).digest('hex')}.json`)
  return {
    read: image => readText(pathOf(image)),
    async write(image, text) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeDurably(pathOf(image), text)
    },
  }
}

/** Keeps each record beside its image, as `IMAGE.colo.json`; only of these images, as a QEMU may name any. */
export function recordsBeside(images: readonly string[]): RecordStore {
  checkArray('images', images, 'paths')
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
    const text = await readFile(path, 'utf8')
    return text.length > largestRecord ? '' : text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ColoError('record', `cannot read the record ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The old text or the new one is there, whatever happens: never a part. */
async function writeDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  try {
    // a draft that a crash left; nothing is written through a link
    await rm(draft, { force: true })
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new ColoError('record', `cannot write the record ${path}: ${(error as Error).message}`, { cause: error })
  }
}
