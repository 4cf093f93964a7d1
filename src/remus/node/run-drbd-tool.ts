import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { beforeDeadline } from '../../link/before-deadline.js'
import { LinkError } from '../../link/link-error.js'
import type { RunTool, ToolResult } from '../drbd/run-tool.js'
import { RemusError } from '../remus-error.js'

/** Runs DRBD's tools as processes of this machine. What takes too long or writes too much is killed, with its children. */
export const runDrbdTool: RunTool = async (program, args, { signal, timeout, outputBytes }) => {
  const child = start(program, args)
  const { stdout, stderr }: Outputs = child
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // it has ended
    }
    stdout?.destroy()
    stderr?.destroy()
    // one that hangs in the kernel does not die: it is not waited for
    child.unref()
  }
  const ended = new Promise<ToolResult>((resolve, reject) => {
    // first of all: an error that nobody listens to ends this process
    child.once('error', cause => reject(notStarted(program, cause)))
    const outputs = [stdout, stderr].map(stream => {
      const chunks: Buffer[] = []
      let size = 0
      stream?.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= outputBytes) chunks.push(chunk)
        else reject(new RemusError('tool-output', `${program} wrote more than ${outputBytes} bytes`))
      })
      return () => Buffer.concat(chunks).toString('utf8')
    })
    child.once('close', status =>
      resolve({ status: status ?? undefined, stdout: outputs[0]!(), stderr: outputs[1]!() }),
    )
  })
  try {
    return await beforeDeadline(
      ended,
      { signal, timeout },
      ({ code, why, cause }) => new LinkError(code, `${program}: ${why}`, { cause }),
    )
  } catch (error) {
    kill()
    throw error
  }
}

/** Absent where the process had no file descriptors left for them; Node's types do not say so. */
interface Outputs {
  stdout: Readable | undefined
  stderr: Readable | undefined
}

function start(program: string, args: readonly string[]) {
  const { PATH } = process.env
  try {
    return spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // a group of its own, and words that do not depend on who asks
      detached: true,
      env: { PATH: PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    })
  } catch (error) {
    // some of the kernel's errors are thrown, ENOMEM and E2BIG among them
    const cause = error as NodeJS.ErrnoException
    throw cause.syscall === undefined ? error : notStarted(program, cause)
  }
}

function notStarted(program: string, cause: NodeJS.ErrnoException): RemusError {
  if (cause.code === 'ENOENT') return new RemusError('tool-missing', `there is no ${program} in PATH`, { cause })
  const isOutOfFiles = cause.code === 'EMFILE' || cause.code === 'ENFILE'
  const why = isOutOfFiles ? `no file descriptors are left (${cause.code})` : cause.message
  return new RemusError('tool-failed', `${program} cannot be run: ${why}`, { cause })
}
