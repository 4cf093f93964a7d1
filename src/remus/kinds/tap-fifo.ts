/** Where tapdisk's Remus driver has its FIFOs. */
export const fifoFolder = '/var/run/tap'

/**
 * The FIFO of `remus:HOST:PORT|…`, as xend also wrote it: `tap:remus:…`, `tap:tapdisk:remus:…`. Every ':' of HOST:PORT becomes '_'.
 * Undefined for any other text, and where HOST could lead to another folder.
 */
export function tapFifo(pdevPath: string): string | undefined {
  const [, host, port] = /^(?:tap:(?:tapdisk:)?)?remus:([0-9A-Za-z_.:[\]%-]{1,200}):([0-9]{1,5})\|/.exec(pdevPath) ?? []
  if (host === undefined || port === undefined || host.includes('..')) return undefined
  return `remus_${host.replaceAll(':', '_')}_${port}`
}
