import type { Io, Size } from '#xenlight/command-line/io.js'
import { SystemError } from '#xenlight/command-line/system-error.js'
import type { OutputStream } from '#xenlight/command-line/write-stream.js'
import { run } from '#xenlight/xl-colo/run.js'

export interface World {
  terminal?: boolean
  columns?: number
  rows?: number
  env?: Io['env']
  isRoot?: boolean
  /** Standard output fails so. */
  failing?: string
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

  write(stream: OutputStream, text: string): void {
    const { failing } = this.#world
    if (stream === 1 && failing !== undefined) throw new SystemError('standard output', failing, failing)
    this.written[stream] += text
  }

  async writeLater(text: string): Promise<void> {
    this.write(1, text)
  }

  onSignal(_: (signal: NodeJS.Signals) => void): Disposable {
    return { [Symbol.dispose]: () => {} }
  }
}
