import { XenlightError } from '../../xenlight-error.js'
import { broken } from './frame-header.js'
import type { ReplyMessage, RequestMessage } from './message.js'
import { requestsAtMost } from './requests.js'

/** How many requests of the other end are under way at a time, of all channels. */
const atMost = 256

/** What a request is answered with: bytes for one that asks for them, for others anything that JSON holds. @throws any error: it is answered */
export type Answer = (request: RequestMessage, gone: AbortSignal) => Promise<unknown>

/** The requests of the other end, on their way to who answers them. What it does not read, it is not answered: they wait. */
export class Answers {
  readonly #answer: Answer
  readonly #send: (reply: ReplyMessage) => void
  readonly #isFull: () => boolean
  readonly #gone = new AbortController()
  /** How many of each channel are not answered. */
  readonly #open = new Map<number, number>()
  #count = 0
  #waiting: RequestMessage[] = []

  /** @param isFull whether so much waits to be sent that nothing more is to be answered */
  constructor(answer: Answer, send: (reply: ReplyMessage) => void, isFull: () => boolean) {
    this.#answer = answer
    this.#send = send
    this.#isFull = isFull
  }

  /** @throws LinkError EPROTO where there are more of a channel than there may be */
  take(message: RequestMessage): void {
    const { channel, request } = message
    const open = this.#open.get(channel) ?? 0
    if (open >= requestsAtMost) throw broken(`more than ${requestsAtMost} requests of one channel at a time`)
    if (this.#count >= atMost) {
      const why = `more than ${atMost} requests are under way: ask later`
      this.#send({ kind: 'failed', channel, request, code: 'in-use', message: why })
      return
    }
    this.#open.set(channel, open + 1)
    this.#count++
    this.#waiting.push(message)
    this.goOn()
  }

  /** Something was sent. */
  goOn(): void {
    while (this.#waiting.length > 0 && !this.#isFull()) void this.#answerOne(this.#waiting.shift()!)
  }

  end(): void {
    this.#waiting = []
    this.#gone.abort()
  }

  async #answerOne(message: RequestMessage): Promise<void> {
    const { channel, request } = message
    let reply: ReplyMessage
    try {
      const result = await this.#answer(message, this.#gone.signal)
      reply =
        result instanceof Uint8Array
          ? { kind: 'bytes', channel, request, data: result }
          : { kind: 'done', channel, request, result }
    } catch (error) {
      reply = failed(message, error)
    }
    if (this.#gone.signal.aborted) return
    const open = this.#open.get(channel)! - 1
    if (open > 0) this.#open.set(channel, open)
    else this.#open.delete(channel)
    this.#count--
    try {
      this.#send(reply)
    } catch (error) {
      // it has no place in a message
      this.#send(failed(message, error))
    }
  }
}

function failed({ channel, request }: RequestMessage, error: unknown): ReplyMessage {
  const code = error instanceof XenlightError && /^[a-z][a-z-]{0,31}$/.test(error.code) ? error.code : 'file-failed'
  return { kind: 'failed', channel, request, code, message: error instanceof Error ? error.message : String(error) }
}
