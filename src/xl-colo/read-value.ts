import { parseBytes } from '../amounts.js'
import { isAllAddresses } from '../colo/arguments/check-address.js'
import { largestEpoch } from '../colo/graph/node-names.js'
import { readHostPort, readSocket } from '../command-line/read-value.js'
import { UsageError } from '../command-line/usage-error.js'
import type { SocketAddress } from '../link/node/socket-address.js'

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

/** Where the secondary's NBD server listens. */
export function readListen(option: string, text: string): { host: string; port: number } {
  const address = readHostPort(option, text)
  if (address === undefined) throw new UsageError(`${option} takes HOST:PORT, such as 192.168.0.2:9000, not '${text}'`)
  if (isAllAddresses(address.host))
    throw new UsageError(`${option} ${text} is every address of the machine: write the one that the primary comes to`)
  return address
}

export function readSpeed(option: string, text: string): number {
  const speed = parseBytes(text)
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
