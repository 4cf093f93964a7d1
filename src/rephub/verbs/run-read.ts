import { Buffer } from 'node:buffer'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { UsageError } from '../../command-line/usage-error.js'
import { LinkError } from '../../link/link-error.js'
import { connectControl } from '../../replication/node/connect-control.js'
import { dataAtMost } from '../../replication/wire/message.js'
import { answerOf } from '../../replication-command/answer.js'
import { usualTimeout } from '../../replication-command/ask.js'
import type { ReadCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Writes a part of a disk to standard output, MiB by MiB. */
export async function runRead(command: ReadCommand, io: Io): Promise<number> {
  const { group, volume, branch, offset, length, force, control, timeout } = command
  if (!force && io.isTerminal(1))
    throw new UsageError('a terminal obeys what a disk may have: write it to a file or a pipe, or give --force')
  using interruption = interruptible(io)
  const { signal } = interruption
  try {
    const hub = await connectControl(control, 'the hub', { timeout: timeout ?? usualTimeout, signal })
    try {
      for (let done = 0; done < length; done += dataAtMost) {
        const part = { offset: offset + done, length: Math.min(dataAtMost, length - done) }
        const answer = await hub.ask('read', { group, volume, branch, ...part }, { timeout, signal })
        io.write(1, bytesOf(answer, part.length))
      }
    } finally {
      await hub.close()
    }
  } catch (error) {
    if (interruption.status === undefined) throw error
    return interruption.status
  }
  return exitStatus('done')
}

/** @throws LinkError */
function bytesOf(answer: unknown, length: number): Uint8Array {
  const { data } = answerOf<{ data: unknown }>('the hub', answer, 'data')
  const bytes = Buffer.from(String(data), 'base64')
  if (bytes.length === length) return bytes
  throw new LinkError('EPROTO', `the hub answers ${bytes.length} bytes, and was asked for ${length}`)
}
