import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { printable } from '../../printable.js'
import { type PageChanges, PageRefusal } from '../page-control.js'
import type { EventClients } from './event-clients.js'
import { isGuarded, type PageAccess, type Visitor } from './page-access.js'
import type { PageFiles } from './page-files.js'
import { readBody } from './read-body.js'
import { goTo, respond, say, sayJson } from './respond.js'

export interface PageRequestsOptions {
  access: PageAccess
  clients: EventClients
  files: PageFiles
  changes: PageChanges | undefined
  view(group: string | undefined): object | undefined
  /** A connection follows the page from now on, and lasts. */
  follow(socket: Socket): void
  /** Whether it is served by HTTPS. */
  isSecure: boolean
}

/** How many changes are made at a time. */
const changesAtMost = 4
/** The longest name of a group in a URL. */
const nameAtMost = 200

/** Answers what browsers ask of a page. */
export class PageRequests {
  readonly #options: PageRequestsOptions
  #changing = 0

  constructor(options: PageRequestsOptions) {
    this.#options = options
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const [path = '', query = ''] = url.split('?', 2)
    if (method === 'POST') await this.#post(path, request, response)
    else if (method !== 'GET' && method !== 'HEAD')
      say(response, 405, 'only GET, HEAD and POST', { Allow: 'GET, HEAD, POST' })
    else if (hasBody(request)) say(response, 413, 'such a request has no body here')
    else this.#get(path, new URLSearchParams(query), request, response)
  }

  #get(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const { files, view } = this.#options
    const file = path === '/login' ? files.login : files.open.get(path)
    if (file !== undefined) {
      respond(response, 200, file)
      return
    }
    const visitor = this.#visitor(request)
    const group = query.get('group')?.slice(0, nameAtMost)
    if (visitor === 'limited') sayLimited(response)
    else if (path === '/' && visitor === undefined) goTo(response, '/login')
    else if (path === '/') respond(response, 200, files.page)
    else if (visitor === undefined) sayUnknown(response)
    else if (path === '/state') {
      const now = view(group)
      if (now === undefined) say(response, 503, 'that cannot be said now')
      else sayJson(response, 200, now)
    } else if (path !== '/events') say(response, 404, 'there is no such page')
    else if (request.method === 'HEAD') say(response, 405, 'only GET', { Allow: 'GET' })
    else this.#follow(visitor, group, request, response)
  }

  #follow(visitor: Visitor, group: string | undefined, { socket, headers }: IncomingMessage, response: ServerResponse) {
    const { clients, access, changes, follow } = this.#options
    if (clients.isFull) {
      say(response, 503, 'too many follow this page', { 'Retry-After': '30' })
      return
    }
    follow(socket)
    const hello = { control: changes !== undefined, guard: visitor.by === 'session' ? visitor.guard : null }
    const { cookie } = headers
    // a session may end while somebody follows
    const mayStay = () => visitor.by === 'token' || isVisitor(access.visitor({ cookie }, ''))
    clients.add(response, { group, hello, mayStay })
  }

  async #post(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    const visitor = path === '/login' ? undefined : this.#visitor(request)
    if (body === undefined) say(response, 413, 'that is too long')
    else if (path === '/login') this.#login(body, request, response)
    else if (visitor === 'limited') sayLimited(response)
    else if (visitor === undefined) sayUnknown(response)
    else if (!isGuarded(visitor, request.headers)) say(response, 403, 'that did not come from the page')
    else if (path === '/logout') {
      this.#options.access.end(request.headers)
      goTo(response, '/login', { 'Set-Cookie': this.#cookie('', 0) })
    } else await this.#change(path, body, response)
  }

  #login(body: string, request: IncomingMessage, response: ServerResponse): void {
    const { access, files } = this.#options
    const token = new URLSearchParams(body).get('token')?.trim() ?? ''
    const isRight = access.isRight(token, addressOf(request))
    if (isRight === 'limited') sayLimited(response)
    else if (isRight) goTo(response, '/', { 'Set-Cookie': this.#cookie(access.begin()) })
    else respond(response, 401, files.wrongLogin)
  }

  async #change(path: string, body: string, response: ServerResponse): Promise<void> {
    const { changes } = this.#options
    const name = path.slice(1)
    if (changes === undefined)
      return say(response, 403, 'this page changes nothing: it is served without --page-control')
    if (name !== 'test' && name !== 'discard') return say(response, 404, 'there is no such change')
    if (this.#changing >= changesAtMost) return say(response, 503, 'too much is being changed')
    const given = jsonOf(body)
    if (given === undefined) return say(response, 400, 'that is no JSON')
    this.#changing++
    try {
      sayJson(response, 200, await changes[name](given))
    } catch (error) {
      if (error instanceof PageRefusal) say(response, 409, printable(error.message))
      else say(response, 500, 'that failed')
    } finally {
      this.#changing--
    }
  }

  #visitor(request: IncomingMessage): Visitor | 'limited' | undefined {
    return this.#options.access.visitor(request.headers, addressOf(request))
  }

  #cookie(value: string, seconds?: number): string {
    const { access, isSecure } = this.#options
    const age = seconds === undefined ? '' : `; Max-Age=${seconds}`
    return `${access.cookie}=${value}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}${age}`
  }
}

const isVisitor = (visitor: Visitor | 'limited' | undefined): boolean => typeof visitor === 'object'

/** Those of one machine come from one address, and of a unix socket from none. */
const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? ''

const sayLimited = (response: ServerResponse): void =>
  say(response, 429, 'too many wrong tries: wait a minute', { 'Retry-After': '60' })

const sayUnknown = (response: ServerResponse): void =>
  say(response, 401, 'log in first', { 'WWW-Authenticate': 'Bearer' })

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return length !== '0' || coding !== undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined
  }
}
