import { Buffer } from 'node:buffer'
import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { socketPathMax } from '../node/socket-path.js'
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
  const sessions = new Map<Socket, Session>()
  const server = createServer(socket => {
    const session = serve(store, socket)
    sessions.set(socket, session)
    socket.once('close', () => sessions.delete(socket))
  })
  try {
    await listen(server, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' || !(await isDeadSocket(path))) throw error
      await unlink(path)
      await listen(server, path)
    })
    await chmod(path, 0o600)
    // a connection that could not be taken (no file left) is its client's trouble
    server.on('error', () => {})
  } catch (cause) {
    server.close()
    const { code, message } = cause as NodeJS.ErrnoException
    throw new XenstoreError(code ?? 'EINVAL', `cannot listen on ${path}: ${message}`, { path, cause })
  }

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise(resolve => {
      server.close(() => resolve())
      for (const session of sessions.values()) session.end()
    })
    return closed
  }
  return { path, close, [Symbol.asyncDispose]: close }
}

function serve(store: Store, socket: Socket): Session {
  const session = new Session(store, store.domains.known(0), {
    send: packet => socket.write(packet),
    end: () => socket.destroySoon(),
  })
  socket.on('data', bytes => {
    socket.cork()
    session.receive(bytes)
    socket.uncork()
    // Who does not read the replies is not read from either.
    if (socket.writableNeedDrain) socket.pause()
  })
  socket.on('drain', () => socket.resume())
  // The end follows.
  socket.on('error', () => {})
  socket.once('close', () => session.close())
  return session
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function isDeadSocket(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
