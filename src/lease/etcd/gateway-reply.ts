import { printable } from '../../printable.js'
import { LeaseError } from '../lease-error.js'
import { EtcdRefusal } from './etcd-refusal.js'
import { fieldsOf } from './reply-fields.js'

/** gRPC's errors of a member that cannot, where another one may: DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE (no leader, say). */
const elsewhere: readonly number[] = [4, 10, 13, 14]
const messageAtMost = 300

/**
 * Reads the reply to a request, by its status of HTTP.
 *
 * @throws EtcdRefusal; LeaseError unreachable where another member may answer better; LeaseError protocol
 */
export function readReply(status: number, text: string): unknown {
  const value = parseJson(text)
  if (status === 200) return value
  throw errorOf(value) ?? new LeaseError('protocol', `a reply with the status ${status} of HTTP`)
}

/** What a member says in a stream. @throws as `readReply` */
export function readStreamed(line: string): unknown {
  const value = parseJson(line)
  const { result, error } = fieldsOf(value) ?? {}
  if (result !== undefined) return result
  throw (
    errorOf(error) ??
    errorOf(value) ??
    new LeaseError('protocol', 'a stream says what is neither a result nor an error')
  )
}

/** The error that an object stands for; undefined where it is none. */
function errorOf(value: unknown): LeaseError | undefined {
  const { code, grpc_code: streamed, message } = fieldsOf(value) ?? {}
  const status = code ?? streamed
  if (typeof status !== 'number' || typeof message !== 'string') return undefined
  const shown = printable(message.slice(0, messageAtMost))
  return elsewhere.includes(status) ? new LeaseError('unreachable', shown) : new EtcdRefusal(status, shown)
}

/** @throws LeaseError protocol */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LeaseError('protocol', 'a reply that is no JSON', { cause: error })
  }
}
