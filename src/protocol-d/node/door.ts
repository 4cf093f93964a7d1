import { closeNow } from '../../link/close-now.js'
import type { Duplex } from '../../link/duplex.js'

/** A connection of somebody who is not let in yet. It is closed when its time is up. */
export class Door {
  #duplex: Duplex
  readonly #left: () => void
  readonly #timer: ReturnType<typeof setTimeout>
  isClosed = false
  #isOver = false

  /**
   * @param timeout in milliseconds
   * @param left called once, when it is closed or left
   */
  constructor(duplex: Duplex, timeout: number, left: () => void) {
    this.#duplex = duplex
    this.#left = left
    this.#timer = setTimeout(() => this.close(), timeout)
  }

  /** What is put on the connection is closed in its place. */
  async through(secure: Promise<Duplex>): Promise<Duplex> {
    const duplex = await secure.catch(error => {
      throw new Error(`TLS: ${(error as Error).message}`, { cause: error })
    })
    this.#duplex = duplex
    if (!this.isClosed) return duplex
    closeNow(duplex)
    throw new Error('it took too long')
  }

  close(): void {
    if (this.#isOver) return
    this.isClosed = true
    this.leave()
    closeNow(this.#duplex)
  }

  /** The connection is a session's from now on. */
  leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#left()
  }
}
