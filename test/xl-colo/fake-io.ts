import type { Io, Size } from '#xenlight/command-line/io.js'
import { SystemError } from '#xenlight/command-line/system-error.js'
import type { OutputStream } from '#xenlight/command-line/write-stream.js'
import { type Service, unheard } from '#xenlight/service/service.js'
import { run } from '#xenlight/xl-colo/run.js'

export interface World {
  terminal?: boolean
  /** Both streams go to the system's journal. */
  journal?: boolean
  columns?: number
  rows?: number
  env?: Io['env']
  isRoot?: boolean
  /** Standard output fails so. */
  failing?: string
  /** Standard input, as it comes. */
  input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export interface Outcome {
  status: number
  stdout: string
  stderr: string
}

/** Runs the whole command on a made-up process; sockets are real. */
export async function runWith(args: readonly string[], world: World = {}): Promise<Outcome> {
  const io = new FakeIo(args, world)
  const status = await run(io)
  return { status, stdout: io.written[1], stderr: io.written[2] }
}

export class FakeIo implements Io {
  readonly args: readonly string[]
  readonly env: Io['env']
  readonly isRoot: boolean
  readonly written = { 1: '', 2: '' }
  readonly #world: World

  constructor(args: readonly string[], world: World = {}) {
    this.args = args
    this.env = world.env ?? { HOME: '/nonexistent' }
    this.isRoot = world.isRoot ?? false
    this.#world = world
  }

  isTerminal(): boolean {
    return this.#world.terminal ?? false
  }

  size(): Size {
    return { columns: this.#world.columns ?? 80, rows: this.#world.rows ?? 24 }
  }

  write(stream: OutputStream, text: string | Uint8Array): void {
    const { failing } = this.#world
    if (stream === 1 && failing !== undefined) throw new SystemError('standard output', failing, failing)
    this.written[stream] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')
  }

  async writeLater(text: string): Promise<void> {
    this.write(1, text)
  }

  async *input(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of this.#world.input ?? []) {
      signal.throwIfAborted()
      yield bytes
    }
  }

  isJournal(): boolean {
    return this.#world.journal ?? false
  }

  onSignal(_: (signal: NodeJS.Signals) => void): Disposable {
    return { [Symbol.dispose]: () => {} }
  }

  service(): Service {
    return unheard
  }
}
