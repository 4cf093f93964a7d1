import { checkLimits, checkText } from '../../check-argument.js'
import { beforeDeadline } from '../../link/before-deadline.js'
import type { Limits } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import { connectSocket } from '../../link/node/socket.js'
import { printable } from '../../printable.js'
import { DiskControl } from '../control/control-client.js'

/** What may be wrong, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket: is the node served?',
  ECONNREFUSED: 'nobody listens there: is the node served?',
  EACCES: 'the socket is for the user of the node alone',
}

/** Connects to a node's control socket. @throws LinkError with the system's code (ENOENT, ECONNREFUSED, …), ETIMEDOUT, ECANCELED */
export async function connectDiskControl(path: string, limits: Limits = {}): Promise<DiskControl> {
  checkText('path', path)
  checkLimits(limits)
  const fail = (code: string, why: string, cause?: unknown) =>
    new LinkError(code, `cannot reach a node at ${printable(path)}: ${why}`, { cause })
  try {
    const { signal } = limits
    return new DiskControl(
      await beforeDeadline(connectSocket({ path }, signal), limits, ({ code, why, cause }) => fail(code, why, cause)),
      printable(path),
    )
  } catch (error) {
    if (error instanceof LinkError) throw error
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    throw fail(code, hints[code] ?? printable(message), error)
  }
}
