import { isIP } from 'node:net'
import type { SocketAddress } from '../../link/node/socket-address.js'

/**
 * Whether a page answers to the host that a request is for: an address, this machine as it calls itself, the host where it listens, or a name
 * that its user gave. A name of somebody else's that leads here (DNS rebinding) is none of those.
 */
export function pageHosts(address: SocketAddress, names: readonly string[]): (host: string | undefined) => boolean {
  const own = 'path' in address ? [] : [address.host ?? '127.0.0.1']
  const known = new Set([...own, ...names, 'localhost'].map(name => name.toLowerCase()))
  return host => {
    const [, ipv6, name] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@[\]\s]+))(?::[0-9]{1,5})?$/.exec(host ?? '') ?? []
    if (ipv6 !== undefined) return isIP(ipv6) === 6
    return name !== undefined && (isIP(name) === 4 || known.has(name.toLowerCase()))
  }
}
