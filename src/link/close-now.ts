import type { Duplex } from './duplex.js'

/** Closes a connection without waiting for the other end to take what was sent. */
export function closeNow(duplex: Duplex): void {
  if (duplex.abort === undefined) duplex.close()
  else duplex.abort()
}
