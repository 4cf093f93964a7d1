import { checkFunction, checkObject, checkOptionalText } from '../../check-argument.js'
import { checkDisks } from './check-disks.js'
import { checkLimited } from './check-limits.js'
import { checkSide } from './check-side.js'

/** The options of a look at a pair. */
export function checkStatus(given: unknown): void {
  checkObject('options', given)
  const { primary, secondary, disks, freeSpace, known } = given as Record<string, unknown>
  if (primary !== undefined && !isUnreachable(primary)) checkSide('primary', primary)
  if (secondary !== undefined && !isUnreachable(secondary)) checkSide('secondary', secondary)
  checkDisks(disks)
  if (freeSpace !== undefined) checkFunction('freeSpace', freeSpace)
  if (known !== undefined) checkFunction('known', known)
  checkLimited(given)
}

/** A side that could not be connected to, with the reason. */
const isUnreachable = (side: unknown): boolean => {
  const { error } = (side ?? {}) as { error?: unknown }
  return error instanceof Error
}

/** The options of an end. */
export function checkEnd(given: unknown): void {
  checkObject('options', given)
  const { primary, secondary, disks, why } = given as Record<string, unknown>
  checkSide('primary', primary)
  checkSide('secondary', secondary)
  checkDisks(disks)
  checkOptionalText('why', why)
  checkLimited(given)
}
