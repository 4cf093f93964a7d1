import { checkFunction, checkInteger, checkLimits, checkMethods, checkObject, checkText } from '../../check-argument.js'
import type { Duplex } from '../../link/duplex.js'
import { checkExport, checkExports, checkNames, type NbdAsker, type NbdExport, type NbdExports } from '../nbd-export.js'
import { ServerConnection } from './connection.js'

export interface NbdServerOptions {
  /** How many clients may be connected at a time; those beyond are closed. 16 by default. Each may cost 64 MiB of memory. */
  maxConnections?: number | undefined
  /** How long a client may take to choose an export, in milliseconds. 10,000 by default. */
  handshakeTimeout?: number | undefined
  /** The names that a client is told, where `exports` is a function. None by default. */
  names?: ((asker: NbdAsker) => readonly string[]) | undefined
  /**
   * Hears what went wrong in `exports` or `names`, or is wrong with what they returned; the client hears that there is no such export.
   * Nobody hears it by default.
   */
  onError?: ((error: unknown) => void) | undefined
  /** Hears of each client of an export that has gone: whether it took its leave, or was lost. Nobody hears it by default. */
  onLeft?: ((exportName: string, how: 'goodbye' | 'lost') => void) | undefined
  /**
   * Asked right before answers are sent to a client of an export. Where it says no, that client gets no answer any more: `drop` it. It always may by
   * default.
   */
  mayAnswer?: (() => boolean) | undefined
}

/** How one connection gets TLS. */
export interface Securing {
  /** Puts TLS on the connection, as the server's side. */
  secure: () => Promise<Duplex>
  /** Clients without TLS are served nothing. */
  must: boolean
}

/** Serves exports to clients, however they come. */
export class NbdServer {
  readonly #exports: NbdExports
  readonly #names: (asker: NbdAsker) => readonly string[]
  readonly #onError: (error: unknown) => void
  readonly #onLeft: (exportName: string, how: 'goodbye' | 'lost') => void
  readonly #mayAnswer: (() => boolean) | undefined
  readonly #maxConnections: number
  readonly #handshakeTimeout: number
  readonly #connections = new Set<ServerConnection>()

  /** @throws TypeError, RangeError for wrong arguments */
  constructor(exports: NbdExports, options: NbdServerOptions = {}) {
    checkExports(exports)
    checkObject('options', options)
    const { maxConnections = 16, handshakeTimeout = 10_000, names, onError = () => {}, onLeft = () => {} } = options
    const { mayAnswer } = options
    checkInteger('maxConnections', maxConnections, 1, 65_536)
    checkLimits({ timeout: handshakeTimeout })
    if (names !== undefined) checkFunction('names', names)
    checkFunction('onError', onError)
    checkFunction('onLeft', onLeft)
    if (mayAnswer !== undefined) checkFunction('mayAnswer', mayAnswer)
    this.#exports = exports
    this.#mayAnswer = mayAnswer
    this.#onError = onError
    this.#onLeft = onLeft
    this.#names = names ?? (() => (typeof exports === 'function' ? [] : exports.map(({ name }) => name)))
    this.#maxConnections = maxConnections
    this.#handshakeTimeout = handshakeTimeout
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size
  }

  /** How many of them have an export. */
  clients(exportName: string): number {
    let count = 0
    for (const connection of this.#connections) if (connection.exportName === exportName) count++
    return count
  }

  /** Serves one client over a connection that is made. Without `securing` it gets no TLS. */
  serve(duplex: Duplex, securing?: Securing): void {
    checkMethods('duplex', duplex, ['start', 'write', 'close'], 'a duplex')
    if (this.#connections.size >= this.#maxConnections) {
      duplex.start({ data: () => {}, end: () => {} })
      duplex.close()
      return
    }
    const connection = new ServerConnection(duplex, {
      find: (name, asker) => this.#orTell(() => this.#find(name, asker)),
      names: asker => this.#orTell(() => checkNames(this.#names(asker))),
      handshakeTimeout: this.#handshakeTimeout,
      secure: securing?.secure,
      mustBeSecure: securing?.must ?? false,
      mayAnswer: this.#mayAnswer,
    })
    this.#connections.add(connection)
    void connection.closed.then(() => {
      this.#connections.delete(connection)
      const { exportName, saidGoodbye } = connection
      if (exportName !== undefined) this.#onLeft(exportName, saidGoodbye ? 'goodbye' : 'lost')
    })
  }

  /**
   * Ends all connections of an export. Settles when nothing of theirs has an effect any more: requests that have begun are
   * through, the others never begin. A client may connect again, unless the export is no more found.
   */
  async drop(exportName: string): Promise<void> {
    checkText('exportName', exportName)
    await end([...this.#connections].filter(connection => connection.exportName === exportName))
  }

  /** Ends all connections, and settles as `drop` does. */
  async close(): Promise<void> {
    await end([...this.#connections])
  }

  /** What the owner's functions throw is theirs to hear, and no client's to end the process with. */
  #orTell<Found>(look: () => Found): Found | undefined {
    try {
      return look()
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }

  #find(name: string, asker: NbdAsker): NbdExport | undefined {
    if (typeof this.#exports !== 'function') return this.#exports.find(one => one.name === name)
    const found = this.#exports(name, asker)
    if (found !== undefined) checkExport(`exports(${JSON.stringify(name)})`, found)
    return found
  }
}

async function end(connections: readonly ServerConnection[]): Promise<void> {
  for (const connection of connections) connection.end()
  await Promise.all(connections.map(connection => connection.closed))
}
