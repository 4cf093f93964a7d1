import { XenstoreError } from 'xenlight/xenstore'
import { encodeText } from '#xenlight/byte-text.js'
import type { Io, RunningXen } from '#xenlight/cli/io.js'
import { run } from '#xenlight/cli/run.js'
import { SystemError } from '#xenlight/command-line/system-error.js'
import type { OutputStream } from '#xenlight/command-line/write-stream.js'

export interface World {
  /** What standard input gives, a read at a time. */
  input?: readonly (string | Uint8Array)[]
  files?: Readonly<Record<string, string | Uint8Array>>
  targets?: Readonly<Record<string, 'block' | 'file' | 'char' | 'dir'>>
  hostname?: string
  terminal?: boolean
  env?: Io['env']
  /** The Xen that runs. */
  xen?: Pick<RunningXen, 'store' | 'host'>
  /** Standard output fails so after some writes. */
  failing?: { after: number; code: string } | { after: number; error: unknown }
}

export interface Outcome {
  status: number
  stdout: string
  stderr: string
}

/** Runs the whole command on a made-up world. */
export function runWith(args: readonly string[], world: World = {}): Outcome {
  const io = new FakeIo(args, world)
  const status = run(io)
  if (typeof status !== 'number') throw new Error(`${args.join(' ')} asks a running Xen: use runWithXen`)
  return { status, stdout: io.written[1], stderr: io.written[2] }
}

/** The same for what asks a running Xen. */
export async function runWithXen(args: readonly string[], world: World = {}): Promise<Outcome> {
  const io = new FakeIo(args, world)
  const status = await run(io)
  return { status, stdout: io.written[1], stderr: io.written[2] }
}

class FakeIo implements Io {
  readonly args: readonly string[]
  readonly env: Io['env']
  readonly written = { 1: '', 2: '' }
  readonly #world: World
  readonly #input: Uint8Array[]
  #writes = 0

  constructor(args: readonly string[], world: World) {
    this.args = args
    this.env = world.env ?? {}
    this.#world = world
    this.#input = (world.input ?? []).map(bytesOf)
  }

  isTerminal(): boolean {
    return this.#world.terminal ?? false
  }

  readInput(buffer: Uint8Array): number {
    const piece = this.#input.shift()
    if (piece === undefined) return 0
    const length = Math.min(piece.length, buffer.length)
    buffer.set(piece.subarray(0, length))
    if (length < piece.length) this.#input.unshift(piece.subarray(length))
    return length
  }

  *readFile(path: string): Iterable<Uint8Array> {
    const contents = this.#world.files?.[path]
    if (contents === undefined) throw new SystemError(path, 'ENOENT', 'No such file or directory')
    yield bytesOf(contents)
  }

  examine(path: string): ReturnType<Io['examine']> {
    const target = this.#world.targets?.[path]
    return target === undefined ? { target: 'missing', reason: 'No such file or directory' } : { target }
  }

  hostname(): string {
    return this.#world.hostname ?? 'anna'
  }

  async openXen(): Promise<RunningXen> {
    const { xen } = this.#world
    if (xen === undefined) throw new XenstoreError('ECONNREFUSED', 'CONNECT /run/xenstored/socket: ECONNREFUSED')
    const { store, host } = xen
    return { store, host, interrupted: new AbortController().signal, [Symbol.asyncDispose]: async () => {} }
  }

  write(stream: OutputStream, data: string | Uint8Array): void {
    const { failing } = this.#world
    if (stream === 1 && failing && this.#writes++ >= failing.after) {
      throw 'error' in failing
        ? failing.error
        : new SystemError('standard output', failing.code, 'No space left on device')
    }
    this.written[stream] += typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
  }
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? encodeText(data) : data)
