import { onAbort } from '../link/on-abort.js'
import { canceled } from './canceled.js'
import type { LeaseClock } from './lease-clock.js'

/** Waits. @throws LeaseError canceled */
export function pause(clock: LeaseClock, time: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(canceled(signal))
    const timer = clock.after(time, () => {
      unlisten?.()
      resolve()
    })
    const unlisten =
      signal &&
      onAbort(signal, () => {
        timer[Symbol.dispose]()
        unlisten?.()
        reject(canceled(signal))
      })
  })
}
