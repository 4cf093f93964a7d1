import type { Gateway, GatewayOptions } from './gateway.js'
import { type KeyValue, readKeyValue, readRevision } from './key-value.js'
import { base64, fieldsOf, flag, list, object, unexpected } from './reply-fields.js'

type Compare = Readonly<Record<string, string>>
type Operation = Readonly<Record<string, object>>

/** Holds where a key was last written in a revision; '0' where there is none of that name. */
export const unchanged = (key: string, revision: string): Compare => ({
  key: base64(key),
  target: 'MOD',
  result: 'EQUAL',
  mod_revision: revision,
})

/** Holds where a key has that value. */
export const hasValue = (key: string, value: string): Compare => ({
  key: base64(key),
  target: 'VALUE',
  result: 'EQUAL',
  value: base64(value),
})

export const put = (key: string, value: string, lease = '0'): Operation => ({
  request_put: { key: base64(key), value: base64(value), lease },
})

export const remove = (key: string): Operation => ({ request_delete_range: { key: base64(key) } })

export const read = (key: string): Operation => ({ request_range: { key: base64(key) } })

export interface Transaction {
  /** All that is compared has to hold. */
  compare?: readonly Compare[]
  success?: readonly Operation[]
  failure?: readonly Operation[]
}

export interface TransactionResult {
  succeeded: boolean
  revision: string
  /** What was read, in order: undefined for a key that is not there. */
  read: (KeyValue | undefined)[]
}

/** Does all of it at once, in the order of all that the cluster does. @throws as `Gateway.ask` */
export async function transact(
  gateway: Gateway,
  transaction: Transaction,
  options?: GatewayOptions,
): Promise<TransactionResult> {
  const { succeeded, header, responses } = object(await gateway.ask('kv/txn', transaction, options), 'a reply')
  const result = flag(succeeded, 'succeeded')
  const operations = (result ? transaction.success : transaction.failure) ?? []
  const replies = list(responses, 'responses', response => object(response, 'a response'))
  if (replies.length !== operations.length)
    throw unexpected(`${replies.length} responses to ${operations.length} operations`)
  const reads = replies.flatMap(({ response_range: range }, index) => {
    const isRead = 'request_range' in operations[index]!
    if (isRead !== (fieldsOf(range) !== undefined)) throw unexpected('a response to another operation')
    return isRead ? [readOne(range)] : []
  })
  return { succeeded: result, revision: readRevision(header), read: reads }
}

function readOne(range: unknown): KeyValue | undefined {
  const { kvs } = object(range, 'a range')
  const [first, second] = list(kvs, 'kvs', readKeyValue)
  if (second !== undefined) throw unexpected('two values of a key')
  return first
}
