import type { DiskTarget } from './choose-backend.js'
import type { DomainType } from './resolved-disk.js'

/** The last number that a domain can have; those above are Xen's own (DOMID_FIRST_RESERVED). */
const lastDomid = 0x7fef

const domainTypes: readonly unknown[] = ['pv', 'pvh', 'hvm'] satisfies DomainType[]
const targets: readonly unknown[] = ['block', 'file', 'char', 'dir', 'missing'] satisfies DiskTarget[]
const hdtypes: readonly unknown[] = ['ide', 'ahci', undefined]

/** For callers without types: a wrong argument is a bug of the caller, not a refusal of libxl's. */
export function checkDomid(domid: unknown, name = 'domid'): asserts domid is number {
  if (typeof domid !== 'number') throw new TypeError(`${name} must be a number, not ${show(domid)}`)
  if (!isDomid(domid)) {
    throw new RangeError(`${name} must be an integer from 0 to ${lastDomid}, not ${domid}`)
  }
}

/** Whether a domain can have that number. */
export const isDomid = (domid: number): boolean => Number.isInteger(domid) && domid >= 0 && domid <= lastDomid

export function checkDomainType(type: unknown): void {
  if (!domainTypes.includes(type)) throw new TypeError(`domainType must be 'pv', 'pvh' or 'hvm', not ${show(type)}`)
}

export function checkTarget(target: unknown): void {
  if (!targets.includes(target)) {
    throw new TypeError(`target must be 'block', 'file', 'char', 'dir' or 'missing', not ${show(target)}`)
  }
}

export function checkHdtype(hdtype: unknown): void {
  if (!hdtypes.includes(hdtype)) throw new TypeError(`hdtype must be 'ide' or 'ahci', not ${show(hdtype)}`)
}

/** A text such as 'false' would count as true. */
export function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new TypeError(`${name} must be true or false, not ${show(value)}`)
}

const show = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : value === null ? 'null' : typeof value
