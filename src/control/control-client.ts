import { Buffer } from 'node:buffer'
import type { Over } from '../link/deadline.js'
import type { Duplex } from '../link/duplex.js'
import type { Limits } from '../link/limits.js'
import { LineDecoder } from '../link/line-decoder.js'
import { LinkError } from '../link/link-error.js'
import { noteArrival } from '../link/look-once-more.js'
import { RequestTable } from '../link/request-table.js'
import { type Request, readReply } from './control-line.js'

/** How many requests may be unanswered at a time. */
const atMost = 16

export interface ControlClientOptions {
  /** Who is at the other end, for messages: 'the node'. */
  who: string
  /** Where that is, for messages. */
  where?: string | undefined
  /** The longest reply, in bytes. */
  replyAtMost: number
  /** The error that a reply stands for. */
  errorOf(code: string, message: string): Error
}

/** Asks what another process controls, over its control socket. */
export class ControlClient {
  readonly #duplex: Duplex
  readonly #options: ControlClientOptions
  readonly #table: RequestTable<number, Omit<Request, 'id'>>
  readonly #ended: Promise<void>

  constructor(duplex: Duplex, options: ControlClientOptions) {
    const { who, where, replyAtMost } = options
    const place = where === undefined ? '' : `, asked of ${who} at ${where}`
    this.#duplex = duplex
    this.#options = options
    this.#table = new RequestTable({
      atMost,
      nextId: last => (last ?? 0) + 1,
      send: (id, request) => duplex.write(Buffer.from(`${JSON.stringify({ id, ...request })}\n`)),
      overError: ({ execute }, { code, why, cause }: Over) =>
        new LinkError(code, `${execute}${place}: ${why}`, { cause }),
      lostError: ({ execute }, error) =>
        new LinkError(error.code, `${execute}${place}: ${error.message}`, { cause: error }),
    })
    const decoder = new LineDecoder(replyAtMost)
    this.#ended = new Promise(resolve => {
      duplex.start({
        data: bytes => {
          noteArrival()
          try {
            decoder.push(bytes, line => this.#take(new TextDecoder().decode(line)))
          } catch (error) {
            this.#fail(error as LinkError)
          }
        },
        end: cause => {
          this.#table.failAll(new LinkError('ECONNRESET', `${who} has gone`, { cause }))
          resolve()
        },
      })
    })
  }

  /** Fails with what `errorOf` makes of an error; LinkError where there is no answer. */
  ask(execute: string, needs: Request['arguments'], limits?: Limits): Promise<unknown> {
    return this.#table.ask({ execute, arguments: needs }, limits)
  }

  close(): Promise<void> {
    this.#duplex.close()
    return this.#ended
  }

  #take(line: string): void {
    const reply = readReply(line)
    if (reply === undefined || this.#table.peek(reply.id) === undefined) {
      this.#fail(new LinkError('EPROTO', `${this.#options.who} answers what is no answer`))
      return
    }
    if ('return' in reply) this.#table.resolve(reply.id, () => reply.return)
    else this.#table.reject(reply.id, () => this.#options.errorOf(reply.error.code, reply.error.message))
  }

  #fail(error: LinkError): void {
    this.#table.failAll(error)
    this.#duplex.close()
  }
}
