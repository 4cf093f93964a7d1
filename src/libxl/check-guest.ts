import { checkWord, outOfRange, wrongType } from '../check-argument.js'

/** The last number that a domain can have; those above are Xen's own (DOMID_FIRST_RESERVED). */
const lastDomid = 0x7fef

export function checkDomid(domid: unknown, name = 'domid'): asserts domid is number {
  if (typeof domid !== 'number') throw wrongType(name, 'a number', domid)
  if (!isDomid(domid)) throw outOfRange(name, `an integer from 0 to ${lastDomid}`, domid)
}

/** Whether a domain can have that number. */
export const isDomid = (domid: number): boolean => Number.isInteger(domid) && domid >= 0 && domid <= lastDomid

export const checkDomainType = (type: unknown): void => checkWord('domainType', type, ['pv', 'pvh', 'hvm'])

/** @param name what is checked, where it is not an option */
export const checkTarget = (target: unknown, name = 'target'): void =>
  checkWord(name, target, ['block', 'file', 'char', 'dir', 'missing'])

export function checkHdtype(hdtype: unknown): void {
  if (hdtype !== undefined) checkWord('hdtype', hdtype, ['ide', 'ahci'])
}
