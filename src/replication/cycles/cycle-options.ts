import {
  checkArray,
  checkFunction,
  checkInteger,
  checkMethods,
  checkObject,
  checkText,
  shown,
} from '../../check-argument.js'
import { longestTimeout } from '../../link/limits.js'
import { isName, nameRule } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { CycleEvent } from './cycle-outcome.js'
import type { CycleTarget } from './cycle-target.js'
import type { CycleDisk } from './disk-sight.js'
import type { Monitors } from './monitors.js'
import type { Owner } from './names.js'
import type { Timer } from './timer.js'

/** What both ways to protect have in common. */
export interface GroupOptions extends Monitors, Owner {
  /** All disks of the guest that are replicated together: 1 to 256. */
  disks: readonly CycleDisk[]
  /** The socket at which an NBD server of this process serves `exports`. */
  address: { path: string }
  /**
   * The last cycle that the hub is known to have (`held` of an outcome). Without it the bitmaps are believed, whatever image they are in.
   */
  held?: number | undefined
  /**
   * Called when the hub has a cycle durably: when it settles, `held` is known after the process too. Only then what is older is thrown
   * away. Nothing is kept by default.
   */
  keep?: ((held: number) => Promise<void>) | undefined
  timer?: Timer | undefined
}

export interface CycleOptions extends GroupOptions {
  target: CycleTarget
  /**
   * How long the copy of what changed may take, in milliseconds. When that is over QEMU's connections to the target are cut, and the cycle
   * fails. A write of the guest's that waits for the copy of its place waits no longer than that.
   */
  limit: number
  /**
   * The same for a single request that the target does not answer, which is all that limits the copy of a whole disk. As `limit` by
   * default.
   */
  stallLimit?: number | undefined
  onEvent?: ((event: CycleEvent) => void) | undefined
  /** The agent's clock, in microseconds since 1970. */
  now?: (() => number) | undefined
}

const mostDisks = 256

/** @throws TypeError, RangeError; ReplicationError bad-name */
export function checkCycleOptions(options: CycleOptions): void {
  checkGroupOptions(options)
  const { target, limit, stallLimit, onEvent, now } = options
  checkMethods('target', target, ['begin', 'backend', 'complete', 'abort'], 'a target of cycles')
  checkInteger('limit', limit, 1, longestTimeout)
  if (stallLimit !== undefined) checkInteger('stallLimit', stallLimit, 1, longestTimeout)
  if (onEvent !== undefined) checkFunction('onEvent', onEvent)
  if (now !== undefined) checkFunction('now', now)
}

/** @throws TypeError, RangeError; ReplicationError bad-name */
export function checkGroupOptions(options: GroupOptions): void {
  checkObject('options', options)
  const { qmp, urgent, group, replica, disks, address, held, keep, timer } = options
  checkMethods('qmp', qmp, ['run', 'events'], 'a QMP connection')
  if (urgent !== undefined) checkMethods('urgent', urgent, ['run', 'events'], 'a QMP connection')
  checkName('group', group)
  checkName('replica', replica)
  checkArray('disks', disks, 'disks')
  checkInteger('disks.length', disks.length, 1, mostDisks)
  for (const [index, { volume, device }] of disks.entries()) {
    checkName(`disks[${index}].volume`, volume)
    checkText(`disks[${index}].device`, device)
  }
  for (const key of ['volume', 'device'] as const)
    if (new Set(disks.map(disk => disk[key])).size < disks.length)
      throw new ReplicationError('bad-name', `two disks of ${group} have one ${key}`)
  checkObject('address', address, 'a path')
  checkText('address.path', address.path)
  if (held !== undefined) checkInteger('held', held, 0, 999_999_999_999_999)
  if (keep !== undefined) checkFunction('keep', keep)
  if (timer !== undefined) checkFunction('timer', timer)
}

function checkName(what: string, name: string): void {
  checkText(what, name)
  if (isName(name)) return
  throw new ReplicationError('bad-name', `${what} cannot be ${shown(name)}: ${nameRule}`)
}
