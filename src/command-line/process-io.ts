import { codeOf, reasonOf } from '../libxl/system-error.js'
import { isJournal } from '../service/node/is-journal.js'
import { processService } from '../service/node/process-service.js'
import type { Service } from '../service/service.js'
import { complain } from './complain.js'
import { exactArguments } from './exact-arguments.js'
import type { Io, Size } from './io.js'
import { SystemError } from './system-error.js'
import { UnwaitedOutput } from './unwaited-output.js'
import { type OutputStream, writeStream } from './write-stream.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class ProcessIo implements Io {
  readonly args = exactArguments(process.argv.slice(2))
  readonly env = process.env
  readonly isRoot = process.geteuid?.() === 0
  #unwaited: UnwaitedOutput | undefined

  isTerminal(stream: OutputStream): boolean {
    return process.getBuiltinModule('node:tty').isatty(stream)
  }

  isJournal(stream: OutputStream): boolean {
    const { JOURNAL_STREAM } = process.env
    return isJournal(stream, JOURNAL_STREAM)
  }

  size(): Size {
    const { columns = 80, rows = 24 } = process.stdout
    return { columns, rows }
  }

  write(stream: OutputStream, text: string | Uint8Array): void {
    writeStream(stream, text)
  }

  writeLater(text: string): Promise<void> {
    this.#unwaited ??= new UnwaitedOutput()
    return this.#unwaited.write(text)
  }

  async *input(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { addAbortSignal } = process.getBuiltinModule('node:stream')
    try {
      yield* addAbortSignal(signal, process.stdin)
    } catch (error) {
      throw new SystemError('standard input', codeOf(error), reasonOf(error))
    }
  }

  onSignal(listener: (signal: NodeJS.Signals) => void, hangup?: () => void): Disposable {
    const ends = hangup === undefined ? signals : signals.filter(signal => signal !== 'SIGHUP')
    const drop = () => {
      for (const signal of ends) process.off(signal, hear)
    }
    const hear = (signal: NodeJS.Signals) => {
      drop()
      listener(signal)
    }
    for (const signal of ends) process.on(signal, hear)
    if (hangup !== undefined) process.on('SIGHUP', hangup)
    return {
      [Symbol.dispose]() {
        drop()
        if (hangup !== undefined) process.off('SIGHUP', hangup)
      },
    }
  }

  service(name: string): Service {
    return processService(why => complain(this, name, why))
  }
}
