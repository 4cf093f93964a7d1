import { createHash } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { LinkError } from '../../link/link-error.js'
import { listenAnew } from '../../link/node/listen-anew.js'
import { listening } from '../../link/node/listening.js'
import { checkAddress, type SocketAddress } from '../../link/node/socket-address.js'
import type { PageChanges } from '../page-control.js'
import { EventClients } from './event-clients.js'
import { PageAccess } from './page-access.js'
import { readPageFiles } from './page-files.js'
import { pageHosts } from './page-hosts.js'
import { PageRequests } from './page-requests.js'
import { say } from './respond.js'

/** How many connections there may be besides those that follow the page: of more, the oldest is ended. */
const connectionsAtMost = 64
/** How many may follow it. */
const followersAtMost = 16
/** How long a request's head may be, in bytes, and how long it and its body may take to come. Times are in milliseconds. */
const headAtMost = 8192
const requestTimeout = 5000
/** How long a connection may last that does not follow the page. */
const connectionTimeout = 60_000

export interface PageOptions {
  /** A TCP port (of this machine alone, if no host is said) or a unix socket, which is for this user alone. */
  address: SocketAddress
  /** By which people come in. */
  token: string
  /** Names of this machine by which browsers may ask for it. */
  hosts: readonly string[]
  /** With them it is served by HTTPS. */
  tls?: { cert: Buffer; key: Buffer } | undefined
  /** How often those who follow hear how all is, in milliseconds. */
  every: number
  /** The package's `page/`. */
  folder: URL
  /** What is shown to who looks at that group. It may fail. */
  view(group: string | undefined): object
  /** What the page may change; nothing without it. */
  changes?: PageChanges | undefined
}

export interface PageServer extends AsyncDisposable {
  /** With the port that the system chose, where it was 0. */
  readonly address: SocketAddress
}

/** Serves a page that shows how something is, by HTTP or HTTPS. @throws LinkError where it cannot listen; what the system says of its files */
export async function servePage(options: PageOptions): Promise<PageServer> {
  const { address, tls, hosts, every, changes } = options
  checkAddress(address)
  const files = readPageFiles(options.folder)
  const view = (group: string | undefined) => {
    try {
      return options.view(group)
    } catch {
      return undefined
    }
  }
  const access = new PageAccess({ token: options.token, cookie: cookieName(address), now: () => performance.now() })
  const clients = new EventClients({ most: followersAtMost, every, view })
  const open = new Set<Socket>()
  // over TLS a request's socket is another one than the connection's
  const follow = (socket: Socket) => {
    for (const one of open) if (one === socket || isSamePeer(one, socket)) open.delete(one)
  }
  const isSecure = tls !== undefined
  const requests = new PageRequests({ ...{ access, clients, changes, view, follow, isSecure }, files })
  const isOurs = pageHosts(address, hosts)
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    // one that goes away meanwhile is its own trouble
    response.on('error', () => {})
    if (!isOurs(request.headers.host)) say(response, 421, 'this page is not known by that name')
    else requests.answer(request, response).catch(() => response.destroy())
  }
  const settings: ServerOptions = {
    ...{ maxHeaderSize: headAtMost, headersTimeout: requestTimeout, requestTimeout },
    ...{ connectionsCheckingInterval: 1000, keepAlive: false, noDelay: true },
  }
  const server = tls === undefined ? createServer(settings, answer) : tlsServer({ ...settings, ...tls }, answer)
  server.maxRequestsPerSocket = 1
  // else Node would ask for the body
  server.on('checkContinue', (_, response: ServerResponse) => say(response, 417, 'nobody waits for a body here'))
  const all = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const [oldest] = open
    if (open.size >= connectionsAtMost) oldest!.destroy()
    open.add(socket)
    all.add(socket)
    const limit = setTimeout(() => open.has(socket) && socket.destroy(), connectionTimeout)
    socket.once('close', () => {
      clearTimeout(limit)
      open.delete(socket)
      all.delete(socket)
    })
  })
  const actual = await listening('who looks at the page', address, listenAnew(server, address))
  // a connection that could not be taken (no file left) is its client's trouble
  server.on('error', () => {})
  const close = () =>
    new Promise<void>(resolve => {
      clients.close()
      server.close(() => resolve())
      for (const socket of all) socket.destroy()
    })
  return { address: actual, [Symbol.asyncDispose]: close }
}

function tlsServer(settings: ServerOptions & { cert: Buffer; key: Buffer }, answer: RequestListener): Server {
  try {
    return createTlsServer({ ...settings, handshakeTimeout: requestTimeout }, answer)
  } catch (error) {
    const { code = 'EINVAL', message } = error as NodeJS.ErrnoException
    throw new LinkError(code, `the page's cert.pem and key.pem cannot be used: ${message}`, { cause: error })
  }
}

const isSamePeer = (one: Socket, other: Socket): boolean =>
  one.remotePort !== undefined && one.remotePort === other.remotePort && one.remoteAddress === other.remoteAddress

/** Browsers send a machine's cookies to all of its ports: each page has a name of its own. */
function cookieName(address: SocketAddress): string {
  const where = 'path' in address ? address.path : `${address.host ?? ''}:${address.port}`
  return `xenlight-${createHash('sha256').update(where).digest('hex').slice(0, 12)}`
}
