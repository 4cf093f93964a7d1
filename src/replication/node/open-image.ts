import type { BlockBackend } from '../../nbd/block-backend.js'
import { openFileBackend } from '../../nbd/node/file-backend.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
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
  /** Another one where writes that were not flushed may be lost though the host has not crashed. */
  instance: string
  /** Settles when what beneath it is needed has gone, with the reason. */
  lost: Promise<Error | undefined>
  close(): Promise<void>
}

/** @throws ReplicationError file-failed */
export async function openImage({ image, format, sockets }: ImageOptions): Promise<OpenImage> {
  if (format === 'qcow2') {
    const daemon = await StorageDaemon.open({ image, format, sockets })
    const { backend, instance, closed } = daemon
    return { backend, instance, lost: closed, close: () => daemon.close() }
  }
  try {
    const backend = await openFileBackend(image)
    return { backend, instance: '', lost: new Promise(() => {}), close: async () => backend.close?.() }
  } catch (error) {
    throw new ReplicationError('file-failed', `cannot open ${printable(image)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
