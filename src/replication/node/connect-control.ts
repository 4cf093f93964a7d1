import { ControlClient } from '../../control/control-client.js'
import { beforeDeadline } from '../../link/before-deadline.js'
import type { Limits } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import { connectSocket } from '../../link/node/socket.js'
import { printable } from '../../printable.js'
import { isReplicationErrorCode, ReplicationError } from '../replication-error.js'

/** The longest reply, in bytes: a hub may list many points. */
const replyAtMost = 64 * 1024 * 1024

/** What may be wrong, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket: does it run?',
  ECONNREFUSED: 'nobody listens there: does it run?',
  EACCES: 'the socket is for another user',
}

/** Connects to the control socket of an agent or a hub. @param who 'the agent' or 'the hub' @throws LinkError with the system's code, ETIMEDOUT, ECANCELED */
export async function connectControl(path: string, who: string, limits: Limits = {}): Promise<ControlClient> {
  const where = printable(path)
  const fail = (code: string, why: string, cause?: unknown) =>
    new LinkError(code, `cannot reach ${who} at ${where}: ${why}`, { cause })
  try {
    const reached = connectSocket({ path }, limits.signal)
    const duplex = await beforeDeadline(reached, limits, ({ code, why, cause }) => fail(code, why, cause))
    return new ControlClient(duplex, { who, where, replyAtMost, errorOf })
  } catch (error) {
    if (error instanceof LinkError) throw error
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    throw fail(code, hints[code] ?? printable(message), error)
  }
}

const errorOf = (code: string, message: string): Error =>
  isReplicationErrorCode(code) ? new ReplicationError(code, message) : new LinkError(code, message)
