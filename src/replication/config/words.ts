import * as z from 'zod'
import { socketPathMax } from '../../link/node/socket-address.js'
import { isName, nameRule } from '../name.js'

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
export const address = z.string().transform((text, context) => {
  if (text.includes('/')) return { path: text }
  const [, ipv6, host, digits] = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:/[\]\s]+)):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits !== undefined && port >= 1 && port <= 65_535) return { host: ipv6 ?? host!, port }
  context.addIssue({ code: 'custom', message: `HOST:PORT or a socket's path, not '${text}'` })
  return z.NEVER
})

/** Where metrics are: as an address, or a port alone, which is one of this machine for itself. */
export const metricsAddress = z
  .union([z.string(), z.int()], { error: "PORT, HOST:PORT or a socket's path" })
  .transform(given => (/^[0-9]+$/.test(String(given)) ? `127.0.0.1:${given}` : String(given)))
  .pipe(address)
