import { isAllAddresses } from '../colo/arguments/check-address.js'
import { largestEpoch } from '../colo/graph/node-names.js'
import { UsageError } from '../command-line/usage-error.js'
import type { SocketAddress } from '../link/node/socket-address.js'

const largestPort = 65_535

/** One side's monitors. */
export interface SidePair {
  qmp: SocketAddress
  urgent: SocketAddress | undefined
}

/** `SOCK[,SOCK2]`; a comma in a path is written twice, as QEMU has it. */
export function readSockets(option: string, text: string): SidePair {
  const parts = splitAtComma(text)
  const [first = '', second, ...more] = parts
  if (more.length > 0)
    throw new UsageError(`${option} takes one or two sockets, not ${parts.length}: write a comma in a path as ',,'`)
  return { qmp: readSocket(option, first), urgent: second === undefined ? undefined : readSocket(option, second) }
}

/** A unix socket's path, or HOST:PORT; what has a slash is a path. */
export function readSocket(option: string, text: string): SocketAddress {
  if (text === '') throw new UsageError(`${option} has an empty socket: write a path, or HOST:PORT`)
  return text.includes('/') ? { path: text } : (readHostPort(option, text) ?? { path: text })
}

/** Where the secondary's NBD server listens. */
export function readListen(option: string, text: string): { host: string; port: number } {
  const address = readHostPort(option, text)
  if (address === undefined) throw new UsageError(`${option} takes HOST:PORT, such as 192.168.0.2:9000, not '${text}'`)
  if (isAllAddresses(address.host))
    throw new UsageError(`${option} ${text} is every address of the machine: write the one that the primary comes to`)
  return address
}

/** An IPv6 address stands in brackets. */
function readHostPort(option: string, text: string): { host: string; port: number } | undefined {
  const [, ipv6, name, digits] = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:/[\]\s]+)):([0-9]{1,6})$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const port = Number(digits)
  if (port < 1 || port > largestPort)
    throw new UsageError(`${option} has the port ${digits}: a port is from 1 to ${largestPort}`)
  return { host: ipv6 ?? name!, port }
}

const units = { ms: 1, s: 1000, m: 60_000 } as const

/** A time such as 200ms, 1.5s or 2m, in milliseconds. */
export function readTime(option: string, text: string): number {
  const [, digits, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m)$/.exec(text) ?? []
  const time = digits === undefined ? 0 : Math.round(Number(digits) * units[unit as keyof typeof units])
  if (time >= 1 && time <= 86_400_000) return time
  throw new UsageError(`${option} takes a time from 1ms to 1440m, such as 200ms or 2s, not '${text}'`)
}

const sizes = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const

/** A number of bytes, such as 512, 50M or 2G; undefined for a text that is none. */
export function readBytes(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,16})([KMGT]?)$/.exec(text) ?? []
  const bytes = digits === undefined ? 0 : Number(digits) * sizes[unit as keyof typeof sizes]
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}

export function readSpeed(option: string, text: string): number {
  const speed = readBytes(text)
  if (speed === undefined)
    throw new UsageError(`${option} takes bytes a second, such as 500K, 50M or 1G, not '${text}'`)
  return speed
}

export const readEpoch = (option: string, text: string): number => readNumber(option, text, 1, largestEpoch)

export function readNumber(option: string, text: string, least: number, most: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`${option} takes a number from ${least} to ${most}, not '${text}'`)
}

/** `PRIMARY-ID,SECONDARY-ID` */
export function readTls(option: string, text: string): { primary: string; secondary: string } {
  const [primary, secondary, ...more] = text.split(',')
  if (!primary || !secondary || more.length > 0)
    throw new UsageError(`${option} takes the ids of two tls-creds objects, PRIMARY-ID,SECONDARY-ID, not '${text}'`)
  return { primary, secondary }
}

/** `DIR[,DIR2]`: one folder for both sides, or one for each. */
export function readFolders(option: string, text: string): { primary: string; secondary: string } {
  const parts = splitAtComma(text)
  const [primary = '', secondary = primary] = parts
  if (primary === '' || secondary === '' || parts.length > 2)
    throw new UsageError(`${option} takes a folder, or one for each side, DIR,DIR2, not '${text}'`)
  return { primary, secondary }
}

/** No word of a command line holds a NUL byte. */
const splitAtComma = (text: string): string[] =>
  text
    .replaceAll(',,', '\0')
    .split(',')
    .map(part => part.replaceAll('\0', ','))
