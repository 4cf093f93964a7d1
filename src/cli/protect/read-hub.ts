import { readHostPort } from '../../command-line/read-value.js'
import { UsageError } from '../../command-line/usage-error.js'
import { socketPathMax } from '../../link/node/socket-address.js'
import { splitAddresses } from '../../replication/config/split-addresses.js'

/** A hub's address as an agent's configuration takes it: HOST:PORT, or the absolute path of a unix socket; several with commas. */
export const readHub = (text: string): string => splitAddresses(text).map(readOne).join(',')

function readOne(text: string): string {
  const wrong = (why: string) => new UsageError(`--protect takes HOST:PORT or a socket's path, not '${text}'${why}`)
  if (text.includes('/')) {
    if (!text.startsWith('/')) throw wrong(': the path has to be absolute')
    if (!text.isWellFormed()) throw wrong(': it is no UTF-8')
    if (Buffer.byteLength(text) > socketPathMax) throw wrong(`: it has more than ${socketPathMax} bytes`)
    return text
  }
  const address = text.isWellFormed() ? readHostPort('--protect', text) : undefined
  if (address === undefined) throw wrong('')
  const { host, port } = address
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
