import { encodeText } from '../byte-text.js'
import { exactArguments } from '../command-line/exact-arguments.js'
import { fs } from '../command-line/fs.js'
import { patiently } from '../command-line/patiently.js'
import { calling } from '../command-line/system-error.js'
import { type OutputStream, writeStream } from '../command-line/write-stream.js'
import type { DiskTarget } from '../libxl/choose-backend.js'
import { reasonOf } from '../libxl/system-error.js'
import { targetKind } from '../libxl/target-kind.js'
import type { Io, RunningXen } from './io.js'

/** The process's own streams and files. Blocking calls, as the streams of Node.js cost more than all else at start. */
export class ProcessIo implements Io {
  readonly args = exactArguments(process.argv.slice(2))
  readonly env = process.env

  isTerminal(stream: OutputStream): boolean {
    return process.getBuiltinModule('node:tty').isatty(stream)
  }

  readInput(buffer: Uint8Array): number {
    return calling('standard input', () => patiently(() => fs.readSync(0, buffer)))
  }

  *readFile(path: string): Iterable<Uint8Array> {
    const file = calling(path, () => fs.openSync(encodeText(path), 'r'))
    try {
      for (;;) {
        const buffer = new Uint8Array(0x10000)
        const length = calling(path, () => fs.readSync(file, buffer))
        if (length === 0) return
        yield buffer.subarray(0, length)
      }
    } finally {
      fs.closeSync(file)
    }
  }

  examine(path: string): { target: DiskTarget; reason?: string } {
    try {
      return { target: targetKind(fs.statSync(encodeText(path))) }
    } catch (error) {
      return { target: 'missing', reason: reasonOf(error) }
    }
  }

  hostname(): string {
    return process.getBuiltinModule('node:os').hostname()
  }

  write(stream: OutputStream, data: string | Uint8Array): void {
    writeStream(stream, data)
  }

  async openXen(): Promise<RunningXen> {
    const { openXen } = await import('./store/index.js')
    return openXen()
  }
}
