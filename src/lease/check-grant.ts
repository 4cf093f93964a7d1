import { checkInteger, checkObject, checkOptions, checkSignal, checkText, wrongType } from '../check-argument.js'
import { checkHolder, checkName } from './lease-name.js'
import type { Grant, StoreOptions } from './lease-store.js'
import { checkTtl } from './lease-time.js'

/** Checks what should have come from a store. @throws TypeError, RangeError */
export function checkGrant(grant: unknown): void {
  checkObject('grant', grant, 'what a store has granted')
  const { name, holder, epoch, attempt, ttl, since, token } = grant as Grant
  checkName('grant.name', name)
  checkHolder(holder)
  checkInteger('grant.epoch', epoch, 1, Number.MAX_SAFE_INTEGER)
  checkText('grant.attempt', attempt)
  checkTtl(ttl)
  if (typeof since !== 'number') throw wrongType('grant.since', 'a number of milliseconds', since)
  checkText('grant.token', token)
}

/** Checks the options that each request has. @returns the signal @throws TypeError */
export function signalOf(options: StoreOptions | undefined): AbortSignal | undefined {
  checkOptions(options)
  checkSignal(options?.signal)
  return options?.signal
}
