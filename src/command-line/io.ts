import type { Service } from '../service/service.js'
import type { OutputStream } from './write-stream.js'

/** How large a terminal is, in characters. */
export interface Size {
  columns: number
  rows: number
}

/** What a command touches of its process, besides files and sockets. */
export interface Io {
  /** The words after the command's name. */
  readonly args: readonly string[]
  readonly env: {
    readonly HOME?: string | undefined
    readonly XDG_STATE_HOME?: string | undefined
    readonly TERM?: string | undefined
  }
  readonly isRoot: boolean
  isTerminal(stream: OutputStream): boolean
  /** Whether the stream is the system's journal. */
  isJournal(stream: OutputStream): boolean
  /** How large standard output's terminal is. */
  size(): Size
  /** @throws SystemError */
  write(stream: OutputStream, text: string | Uint8Array): void
  /** Writes to standard output, and never blocks. Resolves when the system has all of it; rejects where it never will. */
  writeLater(text: string): Promise<void>
  /** Standard input, as it comes, until it ends or the signal is aborted, which it fails by. @throws SystemError */
  input(signal: AbortSignal): AsyncIterable<Uint8Array>
  /**
   * Calls the listener at the first signal that asks the process to end; a second one ends it at once.
   *
   * @param hangup is called at each SIGHUP, which does not ask it to end then
   */
  onSignal(listener: (signal: NodeJS.Signals) => void, hangup?: () => void): Disposable
  /** What hears of a process that serves, for as long as it does. @param name the command's, for complaints */
  service(name: string): Service
}
