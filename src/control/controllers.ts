import { Buffer } from 'node:buffer'
import { closeNow } from '../link/close-now.js'
import type { Duplex } from '../link/duplex.js'
import { LineDecoder } from '../link/line-decoder.js'
import { printable } from '../printable.js'
import { type Reply, type Request, readRequest, requestAtMost } from './control-line.js'

/** How many there may be at a time. */
const controllersAtMost = 16
/** How many requests of one may be under way, and how long they may be together, in bytes. */
const requestsAtMost = 32
const underWayAtMost = 4 * 1024 * 1024
/** While so many bytes of answers wait for one that does not read, it gets no other one: it is ended. */
const unsentAtMost = 1024 * 1024

/** Answers a request, or fails with an error that has a code; undefined where nobody can. Its signal is aborted when the one who asked has gone. */
export type Answer = (request: Request, gone: AbortSignal) => Promise<unknown> | undefined

interface Controller {
  duplex: Duplex
  /** How many are under way. */
  requests: number
  /** How long those are together, in bytes. */
  underWay: number
  /** Aborted when it has gone. */
  gone: AbortController
}

/** Those who control something, each over a connection. One that comes takes the place of the one that has asked nothing for longest. */
export class Controllers {
  readonly #answer: Answer
  readonly #requestAtMost: number
  /** The one that asked last at the end. */
  readonly #controllers = new Set<Controller>()

  /** @param longest how long a request may be, in bytes; 64 KiB by default */
  constructor(answer: Answer, longest = requestAtMost) {
    this.#answer = answer
    this.#requestAtMost = longest
  }

  accept(duplex: Duplex): void {
    if (this.#controllers.size >= controllersAtMost) this.#endOldest()
    const controller: Controller = { duplex, requests: 0, underWay: 0, gone: new AbortController() }
    this.#controllers.add(controller)
    const decoder = new LineDecoder(this.#requestAtMost)
    duplex.start({
      data: bytes => {
        try {
          decoder.push(bytes, line => this.#take(controller, line))
        } catch {
          this.#end(controller)
        }
      },
      end: () => this.#forget(controller),
    })
  }

  /** Ends all connections, whatever was not read of them. */
  endAll(): void {
    for (const controller of [...this.#controllers]) this.#end(controller)
  }

  /** @throws where it asks what nobody can answer */
  #take(controller: Controller, line: Uint8Array): void {
    if (!this.#controllers.delete(controller)) return
    this.#controllers.add(controller)
    const { length } = line
    const request = readRequest(new TextDecoder().decode(line))
    const isTooMuch = controller.requests >= requestsAtMost || controller.underWay + length > underWayAtMost
    if (request === undefined || isTooMuch) throw noAnswer()
    const answer = this.#answer(request, controller.gone.signal)
    if (answer === undefined) throw noAnswer()
    controller.requests++
    controller.underWay += length
    void replyOf(request, answer).then(reply => {
      controller.requests--
      controller.underWay -= length
      if (!this.#controllers.has(controller)) return
      const { duplex } = controller
      // not the answer itself: it may be long
      if ((duplex.unsent ?? 0) > unsentAtMost) this.#end(controller)
      else duplex.write(Buffer.from(`${JSON.stringify(reply)}\n`))
    })
  }

  #endOldest(): void {
    const all = [...this.#controllers]
    this.#end(all.find(({ requests }) => requests === 0) ?? all[0]!)
  }

  #end(controller: Controller): void {
    this.#forget(controller)
    closeNow(controller.duplex)
  }

  #forget(controller: Controller): void {
    this.#controllers.delete(controller)
    controller.gone.abort()
  }
}

const noAnswer = () => new Error('it asks what nobody can answer')

async function replyOf({ id }: Request, answer: Promise<unknown>): Promise<Reply> {
  try {
    return { id, return: (await answer) ?? null }
  } catch (error) {
    const { code = 'EIO', message } = error as { code?: string; message: string }
    return { id, error: { code, message: printable(message) } }
  }
}
