import { checkFunction, checkObject } from '../check-argument.js'
import { checkDisks } from './check-disks.js'
import { checkLimited } from './check-limits.js'
import { checkSide } from './check-side.js'

/** The options of a look at a pair. */
export function checkStatus(given: unknown): void {
  checkObject('options', given)
  const { primary, secondary, disks, freeSpace, known } = given as Record<string, unknown>
  if (primary !== undefined) checkSide('primary', primary)
  if (secondary !== undefined) checkSide('secondary', secondary)
  checkDisks(disks)
  if (freeSpace !== undefined) checkFunction('freeSpace', freeSpace)
  if (known !== undefined) checkFunction('known', known)
  checkLimited(given)
}
