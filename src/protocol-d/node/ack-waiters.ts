import { deadline } from '../../link/deadline.js'
import type { Limits } from '../../link/limits.js'
import { ProtocolDError } from '../protocol-d-error.js'

type Done = (error?: Error) => void

/** Who waits for the acknowledgement of the last checkpoint. One that gives up leaves nothing behind. */
export class AckWaiters {
  readonly #wait: (done: Done) => void
  readonly #waiting = new Set<Done>()

  /** @param wait calls back once the last checkpoint is acknowledged, or cannot be any more */
  constructor(wait: (done: Done) => void) {
    this.#wait = wait
  }

  /** @throws ProtocolDError peer-lost, also where the limit is over: nothing is known of the checkpoint then */
  wait(limits: Limits): Promise<void> {
    return new Promise((resolve, reject) => {
      const isFirst = this.#waiting.size === 0
      const settled: Done = error => {
        this.#waiting.delete(settled)
        limit[Symbol.dispose]()
        if (error === undefined) resolve()
        else reject(error)
      }
      const limit = deadline(limits, ({ why, cause }) => {
        const message = `the peer has not acknowledged the checkpoint, which was ${why}`
        this.#waiting.delete(settled)
        reject(new ProtocolDError('peer-lost', message, { cause }))
      })
      this.#waiting.add(settled)
      // all that wait, wait for the same one
      if (isFirst) this.#wait(error => this.#settle(error))
    })
  }

  #settle(error: Error | undefined): void {
    for (const settled of [...this.#waiting]) settled(error)
  }
}
