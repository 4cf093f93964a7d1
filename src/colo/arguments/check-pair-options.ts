import { checkFlag, checkFunction, checkInteger, checkMethods, checkObject, wrongType } from '../../check-argument.js'
import type { PairOptions } from '../pair/pair-options.js'
import { checkAddress, checkDriver, checkObjectId, checkWords } from './check-address.js'
import { checkDiskName, checkDisks, checkEpoch } from './check-disks.js'
import { checkLimited, checkPeriod } from './check-limits.js'
import { checkSide } from './check-side.js'

/** @throws TypeError, RangeError for what is none of a pair's options */
export function checkPairOptions(given: PairOptions): void {
  checkObject('options', given)
  const { primary, secondary, disks, epoch, listen, tlsCreds, driver, equal, speed, overlays, guest, heartbeat } = given
  checkSide('primary', primary)
  checkSide('secondary', secondary)
  checkDisks(disks)
  checkAddress(given)
  if (listen !== undefined) {
    checkObject('listen', listen)
    checkAddress(listen)
  }
  checkEpoch(epoch)
  if (tlsCreds !== undefined) {
    checkObject('tlsCreds', tlsCreds)
    checkObjectId('tlsCreds.primary', tlsCreds.primary)
    checkObjectId('tlsCreds.secondary', tlsCreds.secondary)
  }
  checkDriver(driver)
  checkFlag('equal', equal)
  // QEMU takes 0 for no limit
  if (speed !== undefined) checkInteger('speed', speed, 1, Number.MAX_SAFE_INTEGER)
  if (overlays !== undefined) checkOverlays(overlays)
  if (guest !== undefined) checkMethods('guest', guest, ['stop', 'resume'], 'what stops and resumes the guest')
  if (heartbeat !== undefined) checkHeartbeat(heartbeat)
  for (const name of ['readExtents', 'freeSpace', 'onEvent'] as const)
    if (given[name] !== undefined) checkFunction(name, given[name])
  checkLimited(given)
}

function checkOverlays(overlays: unknown): void {
  if (!(overlays instanceof Map)) throw wrongType('overlays', 'a Map of disks and their overlays', overlays)
  for (const [disk, files] of overlays as Map<unknown, unknown>) {
    checkDiskName('a disk of overlays', disk)
    checkOverlayFiles('overlays of a disk', files)
  }
}

export function checkOverlayFiles(name: string, files: unknown): void {
  checkObject(name, files, 'the two files of a disk')
  const { active, hidden } = files as Record<string, unknown>
  checkWords(`${name}.active`, active)
  checkWords(`${name}.hidden`, hidden)
}

function checkHeartbeat(heartbeat: unknown): void {
  checkObject('heartbeat', heartbeat)
  const given = heartbeat as Record<string, unknown>
  for (const field of ['every', 'timeout', 'stall']) if (field in given) checkPeriod(`heartbeat.${field}`, given[field])
}

/** How often checkpoints are taken. */
export function checkKeep(given: unknown): void {
  checkObject('options', given)
  checkPeriod('every', (given as { every?: unknown }).every)
  checkLimited(given)
}
