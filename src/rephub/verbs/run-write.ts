import { Buffer } from 'node:buffer'
import { complain } from '../../command-line/complain.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { connectControl } from '../../replication/node/connect-control.js'
import { dataAtMost } from '../../replication/wire/message.js'
import { usualTimeout } from '../../replication-command/ask.js'
import { kindOfError } from '../../replication-command/error-status.js'
import type { WriteCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { inParts } from '../in-parts.js'

/** Writes standard input to a part of a disk, MiB by MiB. */
export async function runWrite(command: WriteCommand, io: Io): Promise<number> {
  const { group, volume, offset, control, timeout } = command
  using interruption = interruptible(io)
  const { signal } = interruption
  let done = 0
  /** How much is asked for, and not answered. */
  let asked = 0
  try {
    const hub = await connectControl(control, 'the hub', { timeout: timeout ?? usualTimeout, signal })
    try {
      for await (const part of inParts(io.input(signal), dataAtMost)) {
        asked = part.length
        const data = Buffer.from(part.buffer, part.byteOffset, asked).toString('base64')
        await hub.ask('write', { group, volume, offset: offset + done, data }, { timeout, signal })
        done += asked
        asked = 0
      }
      await hub.ask('flush', { group }, { timeout, signal })
    } finally {
      await hub.close()
    }
  } catch (error) {
    const unknown = asked === 0 ? '' : `, and of the next ${asked} any may be`
    const written = `${done} bytes from ${offset} on are written${unknown}`
    if (interruption.status !== undefined) {
      complain(io, 'rephub', `interrupted: ${written}`)
      return interruption.status
    }
    const kind = kindOfError(error)
    const isNothing = done === 0 && (asked === 0 || kind === 'refused')
    if (kind === undefined || isNothing) throw error
    // whatever it is refused for, some of it is done
    complain(io, 'rephub', `${(error as Error).message}; ${written}`)
    return exitStatus('failed')
  }
  return exitStatus('done')
}
