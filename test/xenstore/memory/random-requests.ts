import fc from 'fast-check'
import type { Operation } from '#xenlight/xenstore/operation.js'

export interface RandomRequest {
  /** Which of two connections sends it. */
  client: 0 | 1
  /** The first transaction of a connection is 1 in every xenstored. */
  transactionId: number
  operation: Operation | number
  payload: string
}

const path = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      '/a',
      '/a/b',
      '/a/b/c',
      '/a/b/d',
      '/a/e',
      '/b',
      '/b/c/d/e',
      'r',
      'r/s',
      '/local/domain/0/r',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/',
      '',
      '//',
      '/a/',
      '/a//b',
      '/a b',
      '/\xe9',
      '/tool',
      '@releaseDomain',
      '/@x',
      '/a.b',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(2047, 2048, 2049, 3072, 4000).map(length => '/long/'.padEnd(length, 'path/')),
  },
)
const domid = fc.constantFrom('0', '3', '4', '9')
/** Domain 3 is there all the time: a client may be it. */
const comingDomid = fc.constantFrom('0', '4', '9')
const permissions = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.constantFrom('n', 'r', 'w', 'b'), domid).map(parts => parts.join('')) },
    { weight: 1, arbitrary: fc.constantFrom('', 'x0', 'r', 'r-', '0', 'rr1', 'r1x') },
  ),
  { maxLength: 4 },
)
const token = fc.constantFrom('t', 'u', '')
const value = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
  fc.constantFrom('', '\0', 'a\0b\0', 'x'.repeat(4000)),
)

const strings = (...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map(texts => texts.map(text => `${text}\0`).join(''))

type Row = [weight: number, operation: Operation | number, payload: fc.Arbitrary<string>]

/**
 * What both stores are to answer alike: not the wording of CONTROL, what Xen 4.17 has not, or what it answers with the error
 * of an earlier request (a path without its NUL). Nor a
 * target, which xenstored then keeps when it is released, nor another owner for the root, with whom it would remove it.
 */
const rows: Row[] = [
  [20, 'WRITE', fc.tuple(path, value).map(parts => parts.join('\0'))],
  [5, 'MKDIR', strings(path)],
  [8, 'RM', strings(path)],
  [8, 'READ', strings(path)],
  [6, 'DIRECTORY', strings(path)],
  [3, 'DIRECTORY_PART', strings(path, fc.constantFrom('0', '1', '2', '4', '99', '-1', 'x', ''))],
  [5, 'GET_PERMS', strings(path.filter(text => !text.startsWith('@')))],
  [
    8,
    'SET_PERMS',
    fc
      .tuple(
        path.filter(text => text !== '/' && !text.startsWith('@')),
        permissions,
      )
      .map(([name, entries]) => [name, ...entries, ''].join('\0')),
  ],
  [8, 'TRANSACTION_START', fc.constantFrom('\0', '')],
  [4, 'TRANSACTION_END', fc.constantFrom('T\0', 'T\0', 'T\0', 'T\0', 'F\0', 'X\0', '')],
  [10, 'WATCH', strings(fc.oneof(path, fc.constantFrom('@introduceDomain', '@releaseDomain')), token)],
  [3, 'UNWATCH', strings(path, token)],
  [1, 'RESET_WATCHES', fc.constant('\0')],
  [3, 'INTRODUCE', fc.oneof(strings(comingDomid, fc.constant('1'), fc.constantFrom('1', '0')), strings(domid))],
  [2, 'RELEASE', strings(comingDomid)],
  [1, 'RESUME', strings(domid)],
  [1, 'SET_TARGET', fc.oneof(strings(domid), strings(fc.constant('7'), domid))],
  [1, 'IS_DOMAIN_INTRODUCED', strings(domid)],
  [1, 'GET_DOMAIN_PATH', strings(domid)],
  [1, 'WRITE', fc.constantFrom('', '/a')],
  [1, 'WATCH', fc.constantFrom('', '/a\0', '/a\0t', '/a\0t\0u\0v\0')],
  [
    1,
    'CONTROL',
    fc.constantFrom('', 'check\0', 'check\0x\0', 'print\0', 'print\0x\0', 'nope\0', 'quota\0set\0nodes\0'),
  ],
  [1, 99, fc.constant('')],
]

const requestOf = (some: Row[], transactionIds: number[]): fc.Arbitrary<RandomRequest> =>
  fc
    .oneof(
      ...some.map(([weight, operation, payload]) => ({
        weight,
        arbitrary: fc.record({
          client: fc.constantFrom(0 as const, 1 as const),
          transactionId: fc.constantFrom(...transactionIds),
          operation: fc.constant(operation),
          payload,
        }),
      })),
    )
    // More than 4,096 bytes would end the connection.
    .filter(({ payload }) => payload.length <= 4096)

const anything = (maxLength: number) =>
  fc.array(requestOf(rows, [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3]), { minLength: 1, maxLength, size: 'max' })

const onNodes = rows.slice(0, 8)
const onWatches = rows.filter(([, operation]) => operation === 'WATCH')

/** A transaction of each connection, with everything about nodes meanwhile. */
const overlapping = (maxLength: number) =>
  fc
    .tuple(
      fc.array(requestOf([...onNodes, ...onWatches], [0]), { maxLength: 8, size: 'max' }),
      fc.array(requestOf(onNodes, [0, 1, 1]), { minLength: 1, maxLength: Math.ceil(maxLength / 5), size: 'max' }),
    )
    .map(([before, meanwhile]) => [
      ...before,
      ...both('TRANSACTION_START', '\0', 0),
      ...meanwhile,
      ...both('TRANSACTION_END', 'T\0', 1),
    ])

const both = (operation: Operation, payload: string, transactionId: number): RandomRequest[] =>
  ([0, 1] as const).map(client => ({ client, transactionId, operation, payload }))

export const randomRequests = (maxLength: number): fc.Arbitrary<RandomRequest[]> =>
  fc.oneof(anything(maxLength), overlapping(maxLength))
