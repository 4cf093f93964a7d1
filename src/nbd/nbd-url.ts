import { Buffer } from 'node:buffer'
import { printable } from '../printable.js'
import { NbdError } from './nbd-error.js'
import { exportNameMax } from './protocol.js'

/** Where an export is: what an NBD URL says. */
export interface NbdUrl {
  /** `nbds` and `nbds+unix`: TLS is required. */
  tls: boolean
  address: { path: string } | { host: string; port: number }
  /** May be empty: the server's default export. */
  exportName: string
}

/** The port of NBD by IANA. */
export const nbdPort = 10_809
/** `sun_path` of Linux, without its NUL. */
const socketPathMax = 107

const shape = /^(nbds?)(\+unix)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const hostAndPort = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._~-]+))(?::([0-9]{1,5}))?$/

/**
 * Reads `nbd://HOST[:PORT]/NAME`, `nbd+unix:///NAME?socket=PATH`, and both with `nbds`. Nothing else is taken: no user, no fragment,
 * no other query parameter. NAME and PATH are percent-encoded UTF-8.
 *
 * @throws NbdError `bad-url`, which says what is wrong with it
 */
export function parseNbdUrl(url: string): NbdUrl {
  const parts = shape.exec(url)
  if (parts === null) throw bad(url, 'it has to be nbd://HOST[:PORT]/NAME or nbd+unix:///NAME?socket=PATH')
  const [, scheme, unix, authority = '', name = '', query] = parts
  const tls = scheme === 'nbds'
  const exportName = decode(url, 'name', name)
  if (Buffer.byteLength(exportName) > exportNameMax) throw bad(url, `its name has more than ${exportNameMax} bytes`)
  if (unix !== undefined) {
    if (authority !== '') throw bad(url, 'a unix socket has no host: write three slashes')
    return { tls, address: { path: socketOf(url, query) }, exportName }
  }
  if (query !== undefined) throw bad(url, 'a TCP address takes no parameters')
  return { tls, address: hostOf(url, authority), exportName }
}

/** The URL that `parseNbdUrl` reads back. @throws NbdError `bad-url` for what no URL can say */
export function formatNbdUrl({ tls, address, exportName }: NbdUrl): string {
  const scheme = tls ? 'nbds' : 'nbd'
  const url =
    'path' in address
      ? `${scheme}+unix:///${encode(exportName)}?socket=${encode(address.path)}`
      : `${scheme}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}/${encode(exportName)}`
  parseNbdUrl(url)
  return url
}

function socketOf(url: string, query: string | undefined): string {
  const value = /^socket=([^&]*)$/.exec(query ?? '')?.[1]
  if (value === undefined) throw bad(url, 'its one parameter has to be socket=PATH')
  const path = decode(url, 'socket', value)
  if (!path.startsWith('/')) throw bad(url, 'its socket has to be an absolute path')
  if (Buffer.byteLength(path) > socketPathMax) throw bad(url, `its socket has more than ${socketPathMax} bytes`)
  return path
}

function hostOf(url: string, authority: string): { host: string; port: number } {
  const parts = hostAndPort.exec(authority)
  if (parts === null) throw bad(url, 'its host is none')
  const port = parts[3] === undefined ? nbdPort : Number(parts[3])
  if (port < 1 || port > 65_535) throw bad(url, 'its port has to be from 1 to 65535')
  return { host: (parts[1] ?? parts[2])!, port }
}

function decode(url: string, what: string, text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw bad(url, `its ${what} is not percent-encoded UTF-8`)
  }
  if (decoded.includes('\0')) throw bad(url, `its ${what} holds a NUL`)
  return decoded
}

/** A slash may stay one: readable, and the same name. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%2F', '/')
}

const bad = (url: string, why: string): NbdError =>
  new NbdError('bad-url', `${printable(url.length > 200 ? `${url.slice(0, 200)}…` : url)} is no NBD URL: ${why}`)
