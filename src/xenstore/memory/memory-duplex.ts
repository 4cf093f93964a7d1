import { Buffer } from 'node:buffer'
import type { Duplex, DuplexReader } from '../duplex.js'
import type { Domain } from './domains.js'
import { Session } from './session.js'
import type { Store } from './store.js'

/** A connection to the store in this process. As from a daemon, nothing comes out before the caller's turn is over. */
export class MemoryDuplex implements Duplex {
  readonly #session: Session
  #reader: DuplexReader | undefined
  #waiting: Buffer[] = []
  #scheduled = false
  #state: 'open' | 'ending' | 'ended' = 'open'

  constructor(store: Store, domain: Domain) {
    this.#session = new Session(store, domain, {
      send: packet => {
        this.#waiting.push(packet)
        this.#schedule()
      },
      end: () => this.#end(),
    })
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
    if (this.#waiting.length > 0 || this.#state !== 'open') this.#schedule()
  }

  write(packet: Uint8Array): void {
    if (this.#state === 'open') this.#session.receive(packet)
  }

  close(): void {
    this.#session.close()
    this.#waiting = []
    this.#end()
  }

  #end(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not a microtask: whoever asks in a loop must not keep timers and sockets from their turn.
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    this.#scheduled = false
    const reader = this.#reader
    if (reader === undefined) return
    if (this.#waiting.length > 0) {
      const bytes = Buffer.concat(this.#waiting)
      this.#waiting = []
      reader.data(bytes)
    }
    if (this.#state === 'ending') {
      this.#state = 'ended'
      reader.end()
    }
  }
}
