import { checkFunction, checkInteger, checkMethods } from '../../check-argument.js'
import { longestTimeout } from '../../link/limits.js'
import { checkGroupOptions, type GroupOptions } from './cycle-options.js'
import type { LiveEvent } from './live-outcome.js'
import type { LiveTarget } from './live-target.js'

export interface LiveOptions extends GroupOptions {
  target: LiveTarget
  /**
   * How long the target may leave a request unanswered, in milliseconds. When that is over QEMU's connections to it are cut, and the guest
   * goes on without it.
   */
  stallLimit: number
  onEvent?: ((event: LiveEvent) => void) | undefined
}

/** @throws TypeError, RangeError; ReplicationError bad-name */
export function checkLiveOptions(options: LiveOptions): void {
  checkGroupOptions(options)
  const { target, stallLimit, onEvent } = options
  checkMethods('target', target, ['unsettled', 'live', 'backfill', 'settled', 'durable', 'lost'], 'a target')
  checkInteger('stallLimit', stallLimit, 1, longestTimeout)
  if (onEvent !== undefined) checkFunction('onEvent', onEvent)
}
