import * as z from 'zod'
import { type SocketAddress, socketPathMax } from '../../link/node/socket-address.js'
import { isName, nameRule } from '../name.js'
import { addressesAtMost, splitAddresses } from './split-addresses.js'

/** The name of a group, a disk or an agent. */
export const name = z.string().refine(isName, { error: nameRule })

/** A file's or a folder's path. */
export const path = z
  .string()
  .min(1, { error: 'a path' })
  .max(4096, { error: 'a path of at most 4,096 characters' })
  .refine(text => !text.includes('\0'), { error: 'a path without NUL' })

/** The path of a unix socket. */
export const socket = path.refine(text => Buffer.byteLength(text) <= socketPathMax, {
  error: `a socket's path of at most ${socketPathMax} bytes`,
})

/** HOST:PORT, or the path of a unix socket (what has a slash). */
export const address = z.string().transform(addressOf)

/** One address or several, as a list or with commas between them. */
export const addresses = z.unknown().transform((given, context) => {
  const all: readonly unknown[] | undefined =
    typeof given === 'string' ? splitAddresses(given) : Array.isArray(given) ? given : undefined
  if (all?.length === 1 && typeof all[0] === 'string') return addressOf(all[0], context)
  const are = all !== undefined && all.length > 0 && all.every(one => typeof one === 'string')
  if (are && all.length <= addressesAtMost) return all.map(one => addressOf(one, context))
  context.addIssue({ code: 'custom', message: `HOST:PORT or a socket's path, or up to ${addressesAtMost} of them` })
  return z.NEVER
})

function addressOf(text: string, context: z.core.$RefinementCtx<unknown>): SocketAddress {
  if (text.includes('/')) return { path: text }
  const [, ipv6, host, digits] = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:/[\]\s]+)):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits !== undefined && port >= 1 && port <= 65_535) return { host: ipv6 ?? host!, port }
  context.addIssue({ code: 'custom', message: `HOST:PORT or a socket's path, not '${text}'` })
  return z.NEVER
}

/** Where metrics are: as an address, or a port alone, which is one of this machine for itself. */
export const metricsAddress = z
  .union([z.string(), z.int()], { error: "PORT, HOST:PORT or a socket's path" })
  .transform(given => (/^[0-9]+$/.test(String(given)) ? `127.0.0.1:${given}` : String(given)))
  .pipe(address)
