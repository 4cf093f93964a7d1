import type { Limits } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import { RequestTable } from '../../link/request-table.js'
import { isReplicationErrorCode, ReplicationError } from '../replication-error.js'
import { broken } from './frame-header.js'
import { granuleSize, type ReplyMessage, type RequestMessage } from './message.js'

/** How many requests of one channel may be unanswered at a time. */
export const requestsAtMost = 8
/** The size of a SHA-256, in bytes. */
const digestSize = 32

/** A request, before it has its number. */
export type Asked<Request extends RequestMessage = RequestMessage> = Request extends RequestMessage
  ? Omit<Request, 'request'>
  : never

type Table = RequestTable<number, Asked>

/** What this end asks the other. Each channel has its own place: one that is slow keeps no other from asking. */
export class Requests {
  readonly #send: (message: RequestMessage) => void
  readonly #tables = new Map<number, Table>()
  #last = 0
  #lost: LinkError | undefined

  constructor(send: (message: RequestMessage) => void) {
    this.#send = send
  }

  /** @throws ReplicationError that which the other end answers; `lost` where the time is up or the connection ends */
  async ask(request: Asked, limits?: Limits): Promise<unknown> {
    const { channel } = request
    const table = this.#tables.get(channel) ?? this.#newTable(channel)
    return table.ask(request, limits)
  }

  /** @throws LinkError EPROTO where it is no answer to what was asked */
  take(reply: ReplyMessage): void {
    const { channel, request: id } = reply
    const table = this.#tables.get(channel)
    const asked = table?.peek(id)
    if (table === undefined || asked === undefined) throw broken(`an answer to request ${id}, which is none`)
    if (reply.kind === 'failed') table.reject(id, () => failure(reply))
    else table.resolve(id, () => answer(asked, reply))
    const { inFlight, queued } = table.statistics
    if (inFlight + queued === 0) this.#tables.delete(channel)
  }

  failAll(why: string): void {
    this.#lost = new LinkError('ECONNRESET', why)
    for (const table of this.#tables.values()) table.failAll(this.#lost)
    this.#tables.clear()
  }

  #newTable(channel: number): Table {
    const table: Table = new RequestTable<number, Asked>({
      atMost: requestsAtMost,
      nextId: () => ++this.#last,
      // a request of a kind keeps that kind with its number
      send: (request, asked) => this.#send({ ...asked, request } as RequestMessage),
      overError: ({ kind }, { why, cause }) => new ReplicationError('lost', `${kind} was ${why}`, { cause }),
      lostError: ({ kind }, { message }) => new ReplicationError('lost', `${kind} was not answered: ${message}`),
    })
    if (this.#lost === undefined) this.#tables.set(channel, table)
    else table.failAll(this.#lost)
    return table
  }
}

function failure({ code, message }: Extract<ReplyMessage, { kind: 'failed' }>): ReplicationError {
  return new ReplicationError(isReplicationErrorCode(code) ? code : 'wrong-state', message)
}

function answer(asked: Asked, reply: Exclude<ReplyMessage, { kind: 'failed' }>): unknown {
  const size = answerSize(asked)
  if (reply.kind === 'done') {
    if (size !== undefined) throw broken(`'done' where ${asked.kind} asks for bytes`)
    return reply.result
  }
  if (reply.data.length !== size) throw broken(`${reply.data.length} bytes as an answer to ${asked.kind}`)
  return reply.data
}

/** How many bytes are asked for; undefined where none are. */
function answerSize(asked: Asked): number | undefined {
  if (asked.kind === 'readRequest') return asked.length
  return asked.kind === 'digestsRequest' ? Math.ceil(asked.length / granuleSize) * digestSize : undefined
}
