import type { Buffer } from 'node:buffer'
import { domidField, numberField } from '../domid.js'
import { done, number, text } from '../reply.js'
import type { RequestKind } from '../request-kind.js'
import { XenstoreError } from '../xenstore-error.js'

export const listQuotas = {
  operation: 'GET_QUOTA',
  fields: () => [],
  decode: names,
} satisfies RequestKind<[], string[]>

export const getQuota = {
  operation: 'GET_QUOTA',
  fields: (name, domid) => [...domidFields(domid), quotaField(name)],
  decode: number,
} satisfies RequestKind<[name: string, domid: number | undefined], number>

export const setQuota = {
  operation: 'SET_QUOTA',
  fields: (name, value, domid) => [...domidFields(domid), quotaField(name), numberField('a quota', value)],
  decode: done,
} satisfies RequestKind<[name: string, value: number, domid: number | undefined], void>

const domidFields = (domid: number | undefined): string[] => (domid === undefined ? [] : [domidField(domid)])

function quotaField(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new XenstoreError('EINVAL', 'a quota has a name (listQuotas says which)')
}

function names(payload: Buffer): string[] {
  return text(payload)
    .split(' ')
    .filter(name => name !== '')
}
