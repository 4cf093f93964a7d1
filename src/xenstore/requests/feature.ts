import { domidField, numberField } from '../domid.js'
import { done, number } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

export const getFeature = {
  operation: 'GET_FEATURE',
  fields: domid => (domid === undefined ? [] : [domidField(domid)]),
  decode: number,
} satisfies RequestKind<[domid: number | undefined], number>

export const setFeature = {
  operation: 'SET_FEATURE',
  fields: (domid, features) => [domidField(domid), numberField('features', features)],
  decode: done,
} satisfies RequestKind<[domid: number, features: number], void>
