import type { OutputStream } from '../command-line/write-stream.js'
import type { Size } from './output/redrawn.js'

/** What the command touches of its process; sockets, records and overlays are those of `colo/node`. */
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
  /** How large standard output's terminal is. */
  size(): Size
  /** @throws SystemError */
  write(stream: OutputStream, text: string): void
  /** Calls the listener at the first signal that asks the process to end; a second one ends it at once. */
  onSignal(listener: (signal: NodeJS.Signals) => void): Disposable
}
