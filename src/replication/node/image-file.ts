import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { flock } from '../../flock.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'

/** How long an agent may take to let go of an image, in milliseconds. */
const lockTimeout = 2000

/** An image's file, which no other disk of any agent has meanwhile. */
export interface ImageFile {
  /** Another text where another file is in its place; of a block device only its path is known. */
  identity: string
  /** When it was written to last, by a text; undefined of a block device, which does not tell. */
  written(): string | undefined
  /** Lets others have it. */
  close(): void
}

/** @throws ReplicationError in-use where it is another disk's already; the system's error */
export async function openImageFile(image: string): Promise<ImageFile> {
  // a fifo would wait for its other end
  const descriptor = openSync(image, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await flock(descriptor, { timeout: lockTimeout }))) {
      const hint = 'give each disk an image of its own, and end the agent that has it'
      throw new ReplicationError(
        'in-use',
        `${printable(image)} is another disk's already, here or of another agent: ${hint}`,
      )
    }
    const stat = fstatSync(descriptor, { bigint: true })
    const identity = stat.isFile() ? `file ${stat.ino} ${stat.birthtimeNs}` : `device ${resolve(image)}`
    return {
      identity,
      written: () => (stat.isFile() ? String(fstatSync(descriptor, { bigint: true }).mtimeNs) : undefined),
      close: () => closeSync(descriptor),
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
