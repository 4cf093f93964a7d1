import { printable } from '../printable.js'
import { withPriority } from '../service/log-level.js'

/** What is complained to. */
export interface Complained {
  write(stream: 2, text: string): void
  /** See `Io`. */
  isJournal?(stream: 2): boolean
}

/** Says on standard error what is wrong, under the command's name. */
export function complain(io: Complained, name: string, ...lines: readonly string[]): void {
  try {
    const text = `${name}: ${lines.map(printable).join('\n')}\n`
    io.write(2, io.isJournal?.(2) === true ? withPriority('error', text) : text)
  } catch {
    // nobody is left to tell
  }
}
