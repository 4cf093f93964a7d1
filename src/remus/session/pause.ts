import { onAbort } from '../../link/on-abort.js'

/** Waits so many milliseconds, or until the signal is aborted. */
export function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, time)
    const unlisten = onAbort(signal, done)
    function done() {
      clearTimeout(timer)
      unlisten()
      resolve()
    }
  })
}
