import { checkFunction, checkObject } from '../check-argument.js'
import { checkDisks } from './check-disks.js'
import { checkLimited } from './check-limits.js'
import { checkSide } from './check-side.js'
import type { StatusOptions } from './pair-status.js'

export function checkStatus(given: StatusOptions): void {
  checkObject('options', given)
  const { primary, secondary, disks, freeSpace, known } = given
  if (primary !== undefined) checkSide('primary', primary)
  if (secondary !== undefined) checkSide('secondary', secondary)
  checkDisks(disks)
  if (freeSpace !== undefined) checkFunction('freeSpace', freeSpace)
  if (known !== undefined) checkFunction('known', known)
  checkLimited(given)
}
