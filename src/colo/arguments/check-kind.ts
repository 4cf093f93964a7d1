import { checkObject } from '../../check-argument.js'
import { checkDriver, checkObjectId } from './check-address.js'
import { checkEpoch } from './check-disks.js'
import { checkQmp } from './check-side.js'

/** The options of COLO's checkpoint kinds. */
export function checkKind(given: unknown): void {
  checkObject('options', given)
  const { qmp, epoch, tlsCreds, driver } = given as Record<string, unknown>
  checkQmp('qmp', qmp)
  checkEpoch(epoch)
  if (tlsCreds !== undefined) checkObjectId('tlsCreds', tlsCreds)
  checkDriver(driver)
}
