import { setTimeout as pause } from 'node:timers/promises'
import { checkTimeout } from '../../check-argument.js'
import { longestTimeout } from '../../link/limits.js'
import { ProtocolDError } from '../protocol-d-error.js'

/** How long it waits for another change, and how often it is tried, in milliseconds. */
const patience = 5000
const retryDelay = 20

export interface RoleChange {
  /** In milliseconds. */
  timeout: number
  /** Whether it waits for the peer. */
  isWaiting(): boolean
  /** Called where it does when the time is up: nobody waits for the peer any more then. */
  giveUp(): void
  isClosed(): boolean
}

/** Changes a node's role: not while another change is under way, and without waiting for the peer for ever. */
export async function changeRole(work: () => Promise<void>, change: RoleChange): Promise<void> {
  const { timeout, isWaiting, giveUp, isClosed } = change
  checkTimeout('timeout', timeout)
  const timer = timeout > longestTimeout ? undefined : setTimeout(() => isWaiting() && giveUp(), timeout)
  try {
    await patiently(work, isClosed)
  } finally {
    clearTimeout(timer)
  }
}

/** What is under way takes a moment: it is tried again then. One that took long itself is tried once more. */
async function patiently(work: () => Promise<void>, isClosed: () => boolean): Promise<void> {
  const end = performance.now() + patience
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return
    } catch (error) {
      const isBusy = error instanceof ProtocolDError && error.code === 'busy'
      const isOver = performance.now() > end && tries > 1
      if (!isBusy || isOver || isClosed()) throw error
    }
    await pause(retryDelay)
  }
}
