import type { Buffer } from 'node:buffer'
import { checkObject, shown } from '../../check-argument.js'
import { domidField, numberField } from '../domid.js'
import { Malformed } from '../malformed.js'
import { done, quoted, text } from '../reply.js'
import type { RequestKind } from '../request-kind.js'
import type { Introduction } from '../xenstore.js'
import { XenstoreError } from '../xenstore-error.js'

export const getDomainPath = {
  operation: 'GET_DOMAIN_PATH',
  fields: domid => [domidField(domid)],
  decode: text,
} satisfies RequestKind<[domid: number], string>

export const introduce = {
  operation: 'INTRODUCE',
  fields: introduction => {
    checkObject('introduction', introduction, 'an object with domid, gfn and eventChannel')
    const { domid, gfn, eventChannel } = introduction
    return [domidField(domid), gfnField(gfn), numberField('an event channel', eventChannel)]
  },
  decode: done,
} satisfies RequestKind<[introduction: Introduction], void>

export const release = {
  operation: 'RELEASE',
  fields: domid => {
    // oxenstored does it, and is of no use any more
    if (domid === 0) throw new XenstoreError('EINVAL', 'domain 0 cannot be released')
    return [domidField(domid)]
  },
  decode: done,
} satisfies RequestKind<[domid: number], void>

export const resume = {
  operation: 'RESUME',
  fields: domid => [domidField(domid)],
  decode: done,
} satisfies RequestKind<[domid: number], void>

export const setTarget = {
  operation: 'SET_TARGET',
  fields: (domid, target) => [domidField(domid), domidField(target)],
  decode: done,
} satisfies RequestKind<[domid: number, targetDomid: number], void>

export const isIntroduced = {
  operation: 'IS_DOMAIN_INTRODUCED',
  fields: domid => [domidField(domid)],
  decode: yesOrNo,
} satisfies RequestKind<[domid: number], boolean>

function yesOrNo(payload: Buffer): boolean {
  const answer = text(payload)
  if (answer !== 'T' && answer !== 'F') throw new Malformed(`neither T nor F: ${quoted(payload)}`)
  return answer === 'T'
}

function gfnField(gfn: unknown): string {
  if (Number.isSafeInteger(gfn) && Number(gfn) >= 0) return String(gfn)
  throw new XenstoreError('EINVAL', `no frame's number: ${shown(gfn)}`)
}
