import type { SocketAddress } from '../link/node/socket-address.js'
import type { Family } from '../metrics/family.js'
import { processFamilies } from '../metrics/node/process-families.js'
import { serveMetrics } from '../metrics/node/serve-metrics.js'
import { version } from './version.js'

/**
 * Serves a command's metrics beside those of its process; nothing without an address.
 *
 * @throws LinkError where it cannot listen
 */
export async function servingMetrics(
  command: string,
  address: SocketAddress | undefined,
  families: () => readonly Family[],
): Promise<AsyncDisposable> {
  if (address === undefined) return { [Symbol.asyncDispose]: async () => {} }
  const program = { command, version: version() }
  return await serveMetrics(address, () => [...processFamilies(program), ...families()])
}
