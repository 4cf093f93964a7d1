import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { printable } from '../../printable.js'
import type { DrbdDevice, OpenDrbdDevice } from '../kinds/drbd-device.js'
import { RemusError } from '../remus-error.js'
import { type IoctlMessage, readIoctlMessage } from './ioctl-message.js'

const program = fileURLToPath(new URL('./ioctl-process.js', import.meta.url))

/**
 * Opens a device, whose ioctls are then made by a process of its own: the caller's threads are free, and so is its exit. That process gets the
 * device, and nothing of the caller's environment. An ioctl that is given up, as its signal is aborted, ends the device too.
 *
 * @throws RemusError not-ready, no-koffi, checkpoint-failed
 */
export const openDrbdDevice: OpenDrbdDevice = async (path, { signal }): Promise<DrbdDevice> => {
  const name = printable(path)
  const file = await open(path, 'r').catch((cause: Error) => {
    throw new RemusError('not-ready', `${name} cannot be opened: ${cause.message}`, { cause })
  })
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'ignore', file.fd, 'ipc'], env: {} })
  const next = messagesOf(child, name)
  let isClosed = false
  const close = async () => {
    isClosed = true
    child.kill('SIGKILL')
    if (child.connected) child.disconnect()
    // one whose ioctl cannot be interrupted outlives us, and holds the device, until the kernel gives up
    child.unref()
  }
  const answer = async (signal: AbortSignal): Promise<IoctlMessage> => {
    try {
      return await next(signal)
    } catch (error) {
      // its late answer would be taken for that to the next request
      await close()
      throw error
    }
  }
  const [ready] = await Promise.all([answer(signal), file.close()])
  if (ready.kind !== 'ready') {
    await close()
    throw ready.kind === 'no-koffi' ? withoutKoffi(name, ready.why) : unexpected(name)
  }
  return {
    async ioctl(request, { signal }) {
      if (isClosed) throw new RemusError('checkpoint-failed', `${name} is closed: open it again`)
      const reply = answer(signal)
      if (child.connected) child.send(request, () => {})
      const message = await reply
      if (message.kind === 'result') return { result: message.result }
      if (message.kind === 'error') return { error: message.error }
      await close()
      throw unexpected(name)
    },
    close,
  }
}

/** Takes one message after the other; fails once the process is gone, with how it ended. */
function messagesOf(child: ChildProcess, name: string): (signal: AbortSignal) => Promise<IoctlMessage> {
  // what it wrote last is read before the channel counts as closed
  const gone = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
    ([[status, signal]]) => `ended with ${signal ?? `status ${status}`}`,
    (error: Error) => `cannot be run: ${error.message}`,
  )
  return async signal => {
    const over = new AbortController()
    const message = once(child, 'message', { signal: AbortSignal.any([signal, over.signal]) })
    const end = gone.then(how => {
      throw new RemusError('checkpoint-failed', `the process for the ioctls of ${name} ${how}`)
    })
    try {
      // where it was never started, `end` says so
      const [given] = await Promise.race([child.pid === undefined ? end : message, end])
      return readIoctlMessage(given) ?? Promise.reject(unexpected(name))
    } finally {
      message.catch(() => {})
      end.catch(() => {})
      over.abort()
    }
  }
}

const withoutKoffi = (name: string, why: string): RemusError =>
  new RemusError(
    'no-koffi',
    why === ''
      ? `the ioctls of ${name} need the package koffi, which is not installed: npm install koffi`
      : `the ioctls of ${name} need the package koffi, which cannot be loaded: ${printable(why)}`,
  )

const unexpected = (name: string): RemusError =>
  new RemusError('checkpoint-failed', `the process for the ioctls of ${name} answered what it was not asked`)
