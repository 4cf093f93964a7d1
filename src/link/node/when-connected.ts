import type { Socket } from 'node:net'

/**
 * Gives what `use` makes of a socket in the moment in which it is connected: nothing is missed that happens to it next. Where that fails the socket
 * is destroyed. Rejects with the system's error, or the reason of a signal that is aborted from now on.
 */
export function whenConnected<Result>(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal | undefined,
  use: () => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => {
      signal?.removeEventListener('abort', aborted)
      socket.destroy()
      reject(error)
    }
    const aborted = () => failed(signal?.reason)
    signal?.addEventListener('abort', aborted)
    socket.once('error', failed)
    socket.once(event, () => {
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed)
      resolve(use())
    })
  })
}
