import { printable } from '../printable.js'

/** Says on standard error what is wrong, under the command's name. */
export function complain(
  io: { write(stream: 2, text: string): void },
  name: string,
  ...lines: readonly string[]
): void {
  try {
    io.write(2, `${name}: ${lines.map(printable).join('\n')}\n`)
  } catch {
    // nobody is left to tell
  }
}
