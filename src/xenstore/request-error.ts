import { shown as shownValue } from '../check-argument.js'
import type { Operation } from './operation.js'
import { XenstoreError, type XenstoreErrorCode } from './xenstore-error.js'

/** What the daemon's errors mean, where the name alone does not say it. */
const reasons: Readonly<Record<string, string>> = {
  EINVAL: 'the daemon finds the request invalid',
  EACCES: 'not permitted to this domain',
  EEXIST: 'it exists already',
  ENOENT: 'no such node',
  ENOMEM: 'the daemon is out of memory',
  ENOSPC: 'a quota of this domain is used up',
  EQUOTA: 'a quota of this domain is used up',
  EIO: "the daemon's own failure",
  ENOSYS: 'the daemon does not know this request',
  EROFS: 'the daemon does not take writes',
  EBUSY: 'in use',
  EAGAIN: 'others changed the same nodes meanwhile',
  E2BIG: 'too large for the daemon',
  EPERM: 'not permitted to this domain',
}

/** Where the general reason would mislead. */
const ownReasons: Partial<Record<Operation, Readonly<Record<string, string>>>> = {
  WRITE: { ENOENT: 'no such node, and none can be made there' },
  MKDIR: { ENOENT: 'no such node, and none can be made there' },
  RM: { ENOENT: 'neither the node nor its parent exists', EINVAL: 'the root cannot be removed' },
  WATCH: { EEXIST: 'watched already', E2BIG: 'too many watches' },
  UNWATCH: { ENOENT: 'not watched' },
  TRANSACTION_START: { EBUSY: 'too many transactions', ENOSPC: 'too many transactions' },
  TRANSACTION_END: { ENOENT: 'the daemon knows no such transaction' },
  INTRODUCE: { EISCONN: 'the domain is introduced already' },
  RELEASE: { ENOENT: 'no such domain' },
  RESUME: { ENOENT: 'no such domain' },
  SET_TARGET: { ENOENT: 'no such domain' },
  GET_FEATURE: { ENOENT: 'no such domain' },
  SET_FEATURE: { ENOENT: 'no such domain', EBUSY: 'the domain is introduced already' },
  GET_QUOTA: { ENOENT: 'no such domain' },
  SET_QUOTA: { ENOENT: 'no such domain' },
}

/** "READ /a/b: ENOENT (no such node)" */
export function requestError(
  operation: Operation,
  path: string | undefined,
  code: XenstoreErrorCode,
  why: string | undefined = ownReason(operation, code),
  cause?: unknown,
): XenstoreError {
  const what = path === undefined ? operation : `${operation} ${shown(path)}`
  const message = why === undefined ? `${what}: ${code}` : `${what}: ${code} (${why})`
  return new XenstoreError(code, message, { operation, path: typeof path === 'string' ? path : undefined, cause })
}

function ownReason(operation: Operation, code: string): string | undefined {
  const own = ownReasons[operation]
  if (own !== undefined && Object.hasOwn(own, code)) return own[code]
  return Object.hasOwn(reasons, code) ? reasons[code] : undefined
}

/** A path as it is where it can be one; else quoted, and not all of a long one. */
function shown(path: unknown): string {
  const text = typeof path === 'string' ? path : shownValue(path)
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return /^[-A-Za-z0-9/_@…]+$/.test(short) ? short : JSON.stringify(short)
}
