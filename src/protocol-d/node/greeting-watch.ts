import type { ProtocolNode } from '../protocol-node.js'

/** Watches that a peer which has connected greets. While the node is busy, it does not greet either. */
export class GreetingWatch {
  readonly #node: ProtocolNode
  readonly #timeout: number
  readonly #silent: () => void
  #timer: NodeJS.Timeout | undefined

  /**
   * @param timeout in milliseconds
   * @param silent called where it does not
   */
  constructor(node: ProtocolNode, timeout: number, silent: () => void) {
    this.#node = node
    this.#timeout = timeout
    this.#silent = silent
  }

  /** It has connected. */
  begin(): void {
    this.end()
    this.#timer = setTimeout(() => this.#look(), this.#timeout).unref()
  }

  /** It has gone. */
  end(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    if (this.#node.status().connection !== 'hello') return
    if (this.#node.isBusy) this.begin()
    else this.#silent()
  }
}
