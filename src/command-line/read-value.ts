import { parseTime } from '../amounts.js'
import type { SocketAddress } from '../link/node/socket-address.js'
import { UsageError } from './usage-error.js'

const largestPort = 65_535

/** A unix socket's path, or HOST:PORT; what has a slash is a path. */
export function readSocket(option: string, text: string): SocketAddress {
  if (text === '') throw new UsageError(`${option} has an empty socket: write a path, or HOST:PORT`)
  return text.includes('/') ? { path: text } : (readHostPort(option, text) ?? { path: text })
}

/** An IPv6 address stands in brackets. */
export function readHostPort(option: string, text: string): { host: string; port: number } | undefined {
  const [, ipv6, name, digits] = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:/[\]\s]+)):([0-9]{1,6})$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const port = Number(digits)
  if (port < 1 || port > largestPort)
    throw new UsageError(`${option} has the port ${digits}: a port is from 1 to ${largestPort}`)
  return { host: ipv6 ?? name!, port }
}

/** The longest time that an option takes, in milliseconds: a day. */
const longestTime = 86_400_000

/** Where metrics are: as a socket, or a port alone, which is one of this machine for itself. */
export function readMetricsAddress(option: string, text: string): SocketAddress {
  const given = /^[0-9]+$/.test(text) ? `127.0.0.1:${text}` : text
  const address = given.includes('/') ? { path: given } : readHostPort(option, given)
  if (address !== undefined) return address
  throw new UsageError(`${option} takes PORT, HOST:PORT or a socket's path, which has a slash, not '${text}'`)
}

/** A time such as 200ms, 1.5s or 2m, in milliseconds. */
export function readTime(option: string, text: string): number {
  const time = parseTime(text)
  if (time !== undefined && time <= longestTime) return time
  throw new UsageError(`${option} takes a time from 1ms to 1440m, such as 200ms or 2s, not '${text}'`)
}
