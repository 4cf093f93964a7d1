import { exactArguments } from '../command-line/exact-arguments.js'
import { type OutputStream, writeStream } from '../command-line/write-stream.js'
import type { Io } from './io.js'
import type { Size } from './output/redrawn.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class ProcessIo implements Io {
  readonly args = exactArguments(process.argv.slice(2))
  readonly env = process.env
  readonly isRoot = process.geteuid?.() === 0

  isTerminal(stream: OutputStream): boolean {
    return process.getBuiltinModule('node:tty').isatty(stream)
  }

  size(): Size {
    const { columns = 80, rows = 24 } = process.stdout
    return { columns, rows }
  }

  write(stream: OutputStream, text: string): void {
    writeStream(stream, text)
  }

  onSignal(listener: (signal: NodeJS.Signals) => void): Disposable {
    const drop = () => {
      for (const signal of signals) process.off(signal, hear)
    }
    const hear = (signal: NodeJS.Signals) => {
      drop()
      listener(signal)
    }
    for (const signal of signals) process.on(signal, hear)
    return { [Symbol.dispose]: drop }
  }
}
