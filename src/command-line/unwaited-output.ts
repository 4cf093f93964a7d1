import { encodeText } from '../byte-text.js'

/** A terminal's stream, as Node.js has it inside. */
interface TerminalStream {
  readonly _handle?: { setBlocking?(isBlocking: boolean): void }
}

/** Standard output for a process that must not wait for its reader: a pipe that is full blocks nobody here. */
export class UnwaitedOutput {
  constructor() {
    const { stdout } = process
    // each write hears of it too
    stdout.on('error', () => {})
    // Node.js has a terminal block the process, also one whose connection hangs
    if (stdout.isTTY) (stdout as TerminalStream)._handle?.setBlocking?.(false)
  }

  /** Resolves when the system has all of it; rejects where it never will. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(encodeText(text), error => (error ? reject(error) : resolve()))
    })
  }
}
