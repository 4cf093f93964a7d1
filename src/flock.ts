import type { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'

export interface LockOptions {
  /** How long to wait for the lock, in milliseconds. */
  timeout: number
  signal?: AbortSignal | undefined
}

/** Where the child has the file. */
const childFd = 3
/** How much is kept of what the program writes. */
const mostWords = 4096

/**
 * Takes flock(2) on an open file, exclusively, by util-linux' program flock, as Node has no such call. The lock belongs to the
 * open file, which the child inherits, so it stays when the child has ended.
 *
 * @returns false where the time was over, or the signal aborted, before the lock was there
 * @throws Error where there is no such program (its system error), or it fails
 */
export function flock(fd: number, { timeout, signal }: LockOptions): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', String(childFd)], { stdio: ['ignore', 'ignore', 'pipe', fd] })
    let words = ''
    let isStopped = false
    const stop = () => {
      isStopped = true
      child.kill('SIGKILL')
    }
    const timer = setTimeout(stop, timeout)
    signal?.addEventListener('abort', stop)
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
    child.stderr?.on('data', (bytes: Buffer) => {
      words = (words + bytes.toString('utf8')).slice(-mostWords)
    })
    child.once('error', error => {
      end()
      reject(error)
    })
    child.once('close', (status, by) => {
      end()
      // a lock that came just as the time was over is a lock
      if (status === 0 || isStopped) resolve(status === 0)
      else reject(new Error(`flock failed (${status ?? by}): ${words.trim() || 'it does not say why'}`))
    })
  })
}
