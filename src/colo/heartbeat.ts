import { setTimeout as delay } from 'node:timers/promises'
import { queryStatus } from '../qmp/commands/query-status.js'
import type { Qmp } from '../qmp/qmp.js'

/** How often a peer is asked, and how long it may take, in milliseconds. */
export interface HeartbeatLimits {
  /** Between two beats. */
  every: number
  /** A peer that is silent for longer counts as lost. */
  timeout: number
  /** A copy that gets no further for so long counts as cut off: the guest's writes wait for it. */
  stall: number
}

export const usualHeartbeat: HeartbeatLimits = { every: 500, timeout: 2000, stall: 10_000 }

/**
 * Asks a QEMU again and again whether its main loop still runs; resolves when it does not answer in time, with the reason, or
 * when the signal is aborted.
 */
export async function untilSilent(
  qmp: Qmp,
  { every, timeout }: Pick<HeartbeatLimits, 'every' | 'timeout'>,
  signal: AbortSignal,
): Promise<Error | undefined> {
  while (!signal.aborted) {
    try {
      await qmp.run(queryStatus, undefined, { timeout, signal })
    } catch (error) {
      return signal.aborted ? undefined : (error as Error)
    }
    await delay(every, undefined, { signal }).catch(() => {})
  }
  return undefined
}
