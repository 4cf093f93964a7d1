import { checkFunction, checkObject } from '../../check-argument.js'
import { checkWords } from './check-address.js'
import { checkDisks, checkEpoch } from './check-disks.js'
import { checkLimited } from './check-limits.js'
import { checkSide } from './check-side.js'

/** The options of a take-over. */
export function checkTakeOver(given: unknown): void {
  checkObject('options', given)
  const { secondary, disks, epoch, force, onProgress } = given as Record<string, unknown>
  checkSide('secondary', secondary)
  checkDisks(disks)
  checkEpoch(epoch)
  if (force !== undefined) checkWords('force', force)
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
  checkLimited(given)
}
