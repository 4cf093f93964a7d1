import { shown } from '../check-argument.js'
import { XenstoreError } from './xenstore-error.js'

/** DOMID_FIRST_RESERVED: domains have the numbers below. */
const firstReserved = 0x7ff0

/** A domain's number as the protocol has it. @throws XenstoreError EINVAL */
export function domidField(domid: unknown): string {
  if (Number.isInteger(domid) && Number(domid) >= 0 && Number(domid) < firstReserved) return String(domid)
  throw new XenstoreError('EINVAL', `no domain's number: ${shown(domid)} (0 to ${firstReserved - 1})`)
}

/** A number of 32 bits as the protocol has it. @throws XenstoreError EINVAL */
export function numberField(what: string, value: unknown): string {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff) return String(value)
  throw new XenstoreError('EINVAL', `${what}: ${shown(value)} is no number from 0 to ${0xffff_ffff}`)
}
