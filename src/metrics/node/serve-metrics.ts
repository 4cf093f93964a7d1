import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listenAnew } from '../../link/node/listen-anew.js'
import { listening } from '../../link/node/listening.js'
import { checkAddress, type SocketAddress } from '../../link/node/socket-address.js'
import { expositionText, expositionType } from '../exposition.js'
import type { Family } from '../family.js'

/** How many connections there may be: of more, the oldest is ended. */
const connectionsAtMost = 16
/** How long a request's head may be, in bytes, and how long it may take to come. Times are in milliseconds. */
const headAtMost = 8192
const headTimeout = 5000
/** How long a connection may last, whatever comes and goes on it. */
const connectionTimeout = 30_000
/** Who asks more often gets what the one before got: to look at all there is takes its time. */
const freshFor = 1000

/** Where metrics can be scraped. */
export interface MetricsServer extends AsyncDisposable {
  /** With the port that the system chose, where it was 0. */
  readonly address: SocketAddress
}

/**
 * Serves what `families` says at /metrics by HTTP, at a TCP port (of this machine alone, if no host is said) or a unix socket, which is for
 * this user alone. Nothing is awaited for a scrape, and nothing is read but the head of its request.
 *
 * @throws LinkError where it cannot listen
 */
export async function serveMetrics(address: SocketAddress, families: () => readonly Family[]): Promise<MetricsServer> {
  checkAddress(address)
  const text = fresh(() => expositionText(families()))
  const answer: RequestListener = (request, response) => respond(request, response, text)
  const server = createServer(
    {
      ...{ maxHeaderSize: headAtMost, headersTimeout: headTimeout, requestTimeout: headTimeout },
      ...{ connectionsCheckingInterval: 1000, keepAlive: false, noDelay: true },
    },
    answer,
  )
  server.maxRequestsPerSocket = 1
  // else Node would ask for the body
  server.on('checkContinue', answer)
  const open = new Set<Socket>()
  server.on('connection', socket => {
    const [oldest] = open
    if (open.size >= connectionsAtMost) oldest!.destroy()
    open.add(socket)
    const limit = setTimeout(() => socket.destroy(), connectionTimeout)
    socket.once('close', () => {
      clearTimeout(limit)
      open.delete(socket)
    })
  })
  const actual = await listening('who scrapes metrics', address, listenAnew(server, address))
  // a connection that could not be taken (no file left) is its client's trouble
  server.on('error', () => {})
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      for (const socket of open) socket.destroy()
    })
  return { address: actual, [Symbol.asyncDispose]: close }
}

function respond(request: IncomingMessage, response: ServerResponse, text: () => string): void {
  const { method = '', url = '', headers } = request
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  const [path] = url.split('?')
  const say = (status: number, body: string, type = 'text/plain; charset=utf-8', more = {}) => {
    const head = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), Connection: 'close', ...more }
    response.writeHead(status, head).end(body)
  }
  if (method !== 'GET' && method !== 'HEAD') say(405, 'only GET and HEAD\n', undefined, { Allow: 'GET, HEAD' })
  else if (length !== '0' || coding !== undefined) say(413, 'a request has no body here\n')
  else if (path === '/') say(200, 'metrics for Prometheus are at /metrics\n')
  else if (path !== '/metrics') say(404, 'there is /metrics only\n')
  else
    try {
      say(200, text(), expositionType)
    } catch {
      say(500, 'the metrics cannot be read\n')
    }
}

/** Makes a text, and gives the same for a while. */
function fresh(make: () => string): () => string {
  let made: { at: number; text: string } | undefined
  return () => {
    const now = performance.now()
    if (made === undefined || now - made.at >= freshFor) made = { at: now, text: make() }
    return made.text
  }
}
