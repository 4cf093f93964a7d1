import { Buffer } from 'node:buffer'
import type { Duplex } from '../../link/duplex.js'
import { listen } from '../../link/node/listener.js'
import { socketPathMax } from '../../link/node/socket-address.js'
import { XenstoreError } from '../xenstore-error.js'
import { Session } from './session.js'
import type { Store } from './store.js'

/** A unix socket at which other programs find the store. */
export interface Listener extends AsyncDisposable {
  readonly path: string
  /** Ends its connections and removes the socket. */
  close(): Promise<void>
}

/**
 * Listens on a unix socket, which only this user can connect to; whoever does is domain 0. The socket of a server that is
 * dead is replaced.
 *
 * @throws XenstoreError EADDRINUSE where another server listens there, or something else is there; or the system's code
 */
export async function listenOnSocket(store: Store, path: string): Promise<Listener> {
  if (Buffer.byteLength(path) > socketPathMax) {
    throw new XenstoreError('ENAMETOOLONG', `cannot listen on ${path}: at most ${socketPathMax} bytes for a socket`, {
      path,
    })
  }
  try {
    const { close } = await listen({ path }, duplex => serve(store, duplex))
    return { path, close, [Symbol.asyncDispose]: close }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new XenstoreError(code ?? 'EINVAL', `cannot listen on ${path}: ${message}`, { path, cause })
  }
}

function serve(store: Store, duplex: Duplex): void {
  const session = new Session(store, store.domains.known(0), {
    send: packet => duplex.write(packet),
    end: () => duplex.close(),
  })
  duplex.start({ data: bytes => session.receive(bytes), end: () => session.close() })
}
