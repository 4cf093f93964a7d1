import { Buffer } from 'node:buffer'
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { beforeDeadline } from '../../link/before-deadline.js'
import { type Deadline, deadline } from '../../link/deadline.js'
import { timeoutProblem } from '../../link/limits.js'
import { reasonOf } from '../system-error.js'
import type { ScriptCall, ScriptOutcome } from './disk-host.js'

/** How much is kept of what a script writes. */
const tailBytes = 4096
/** How long to wait, in milliseconds, for the end of what a script that has ended wrote, and for one that was killed to end. */
const lastWords = 100
const lastBreath = 5000

/**
 * Runs a script without a shell, in a process group of its own, standard input empty and standard output joined to standard
 * error as libxl has them. What the script leaves running may go on; when the script takes too long or the signal is
 * aborted, all of its group is killed. Never throws.
 */
export async function runScript(call: ScriptCall): Promise<ScriptOutcome> {
  const { script, args, env, signal } = call
  if (signal?.aborted) return { status: undefined, reason: 'aborted', stderr: '' }
  const odd = [script, ...args].find(text => !text.isWellFormed() || text.includes('\0'))
  if (odd !== undefined) return { status: undefined, reason: 'a name that is not UTF-8 text', stderr: '' }
  const problem = timeoutProblem(call.timeout)
  if (problem !== undefined) return { status: undefined, reason: problem, stderr: '' }
  let child: ChildProcess
  try {
    child = spawn(script, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  } catch (error) {
    return { status: undefined, reason: reasonOf(error), stderr: '' }
  }
  return new Running(child).outcome(call)
}

class Running {
  readonly #child: ChildProcess
  #tail = Buffer.alloc(0)
  /** Why it was killed. */
  #killedFor: string | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#tail = Buffer.from(Buffer.concat([this.#tail, chunk]).subarray(-tailBytes))
      })
    }
  }

  async outcome({ timeout, signal }: ScriptCall): Promise<ScriptOutcome> {
    const child = this.#child
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    let lost: Deadline | undefined
    const ended = new Promise<Omit<ScriptOutcome, 'stderr'>>(resolve => {
      const kill = (reason: string) => {
        this.#kill(reason)
        // one that sleeps in the kernel can't be killed; nobody is to wait for it for ever
        lost ??= deadline({ timeout: lastBreath }, () => resolve({ status: undefined, reason }))
      }
      const limit = deadline({ signal, timeout }, ({ code }) => kill(code === 'ETIMEDOUT' ? 'timed out' : 'aborted'))
      const end = (outcome: Omit<ScriptOutcome, 'stderr'>) => {
        limit[Symbol.dispose]()
        lost?.[Symbol.dispose]()
        resolve(outcome)
      }
      child.once('error', error => end({ status: undefined, reason: reasonOf(error) }))
      child.once('exit', (status, by) => end(this.#ending(status, by)))
    })
    const outcome = await ended
    if (child.pid !== undefined) await beforeDeadline(closed, { timeout: lastWords }, () => undefined).catch(() => {})
    this.#letGo()
    return { ...outcome, stderr: this.#tail.toString('utf8') }
  }

  #ending(status: number | null, by: NodeJS.Signals | null): Omit<ScriptOutcome, 'stderr'> {
    if (this.#killedFor !== undefined && status === null) return { status: undefined, reason: this.#killedFor }
    return status === null ? { status: undefined, reason: `killed by signal ${by}` } : { status }
  }

  #kill(reason: string): void {
    const { pid } = this.#child
    if (pid === undefined) return
    this.#killedFor = reason
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // it ended meanwhile
    }
  }

  /** A daemon that the script left running may still write: its pipe stays open and is read, but keeps nobody here. */
  #letGo(): void {
    this.#child.unref()
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.removeAllListeners('data')
      stream?.on('error', () => {})
      stream?.resume()
      unref(stream)
    }
  }
}

/** A child's pipe is a socket, though its type does not say so. */
function unref(stream: Readable | null): void {
  if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
}
