import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { TapFifos } from '../kinds/tap-kind.js'
import { RemusError } from '../remus-error.js'

/** How often an empty FIFO is looked at again, in milliseconds. */
const lookAgain = 2

/** Opens tapdisk's FIFOs without blocking, in both directions as xend does: the other end may come later. What is left in them is dropped. */
export async function openTapFifos(path: string): Promise<TapFifos> {
  const control = await openFifo(path)
  let messages: FileHandle | undefined
  try {
    messages = await openFifo(`${path}.msg`)
    // an answer to an earlier session is none to ours
    while ((await readSome(messages, 512)).length > 0);
  } catch (error) {
    await control.close()
    await messages?.close()
    throw error
  }
  return {
    async write(text) {
      await control.write(text)
    },
    async read(bytes, { signal }) {
      let text = ''
      for (;;) {
        text += (await readSome(messages, bytes - text.length)).toString('latin1')
        if (text.length === bytes) return text
        await delay(lookAgain, undefined, { signal })
      }
    },
    async close() {
      await Promise.all([control.close(), messages.close()])
    },
  }
}

async function openFifo(path: string): Promise<FileHandle> {
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants
  let file: FileHandle
  try {
    file = await open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW)
  } catch (cause) {
    throw new RemusError('not-ready', `${path} cannot be opened: is tapdisk there? ${(cause as Error).message}`, {
      cause,
    })
  }
  if ((await file.stat()).isFIFO()) return file
  await file.close()
  throw new RemusError('not-ready', `${path} is no FIFO: tapdisk's Remus driver makes one`)
}

async function readSome(file: FileHandle, bytes: number): Promise<Buffer> {
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, null)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Buffer.alloc(0)
    throw error
  }
}
