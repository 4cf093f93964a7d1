import { constants } from 'node:os'
import type { Io } from './io.js'

/** That a signal asked the command to end. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal
  /** What a shell shows for a command that this signal has ended; undefined where none came. */
  readonly status: number | undefined
}

/** @param hangup is called at each SIGHUP; without it, SIGHUP asks the command to end, too */
export function interruptible(io: Io, hangup?: () => void): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  const listening = io.onSignal(name => {
    status = 128 + constants.signals[name]
    controller.abort(new Error(`interrupted by ${name}`))
  }, hangup)
  return {
    signal: controller.signal,
    get status() {
      return status
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  }
}
