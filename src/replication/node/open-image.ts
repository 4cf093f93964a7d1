import type { BlockBackend } from '../../nbd/block-backend.js'
import { openFileBackend } from '../../nbd/node/file-backend.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import { Closers } from './closers.js'
import { openImageFile } from './image-file.js'
import { StorageDaemon } from './storage-daemon.js'

export interface ImageOptions {
  /** The image's path. */
  image: string
  format: 'raw' | 'qcow2'
  /** Where a storage daemon's sockets are: `.nbd` and `.qmp` are put behind it. */
  sockets: string
}

/** A guest's disk as its agent has it. */
export interface OpenImage {
  backend: BlockBackend
  /** Another one where another file is in its place. */
  identity: string
  /** When it was written to last, by a text; undefined where that cannot be told: a storage daemon writes at its end, too. */
  written(): string | undefined
  /** Another one where writes that were not flushed may be lost though the host has not crashed. */
  instance: string
  /** Settles when what beneath it is needed has gone, with the reason. */
  lost: Promise<Error | undefined>
  close(): Promise<void>
}

/** @throws ReplicationError file-failed; in-use where it is another disk's */
export async function openImage({ image, format, sockets }: ImageOptions): Promise<OpenImage> {
  await using opening = new Closers()
  try {
    const file = await openImageFile(image)
    opening.defer(file.close)
    const isRaw = format === 'raw'
    const { closed, ...open } = isRaw ? await openRaw(image) : await openDaemon(image, format, sockets)
    opening.defer(open.close)
    const parts = opening.move()
    const written = () => (isRaw ? file.written() : undefined)
    return { ...open, identity: file.identity, written, lost: closed, close: () => parts[Symbol.asyncDispose]() }
  } catch (error) {
    if (error instanceof ReplicationError) throw error
    throw new ReplicationError('file-failed', `cannot open ${printable(image)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function openRaw(image: string) {
  const backend = await openFileBackend(image)
  const never = new Promise<undefined>(() => {})
  return { backend, instance: '', closed: never, close: async () => backend.close?.() }
}

async function openDaemon(image: string, format: 'qcow2', sockets: string) {
  const daemon = await StorageDaemon.open({ image, format, sockets })
  const { backend, instance, closed } = daemon
  return { backend, instance, closed, close: () => daemon.close() }
}
