import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { buildC } from './c-program.js'

/** The real libxenstore, as C programs use it: one request after another. Times are nanoseconds in all. */
export interface Libxenstore extends Disposable {
  readonly pid: number
  read(path: string, times: number): Promise<number>
  /** Sends the requests of a file: one a line, its words between tabs. */
  replay(file: string): Promise<number>
}

/** Connects to the daemon at a socket. @throws MissingRealPart without gcc or libxen-dev */
export function startLibxenstore(socket: string): Libxenstore {
  const program = buildC('libxenstore-replay', {
    libraries: ['-lxenstore'],
    packages: 'gcc libc6-dev libxen-dev',
  })
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'], env: { XENSTORED_PATH: socket } })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (command: string): Promise<number> => {
    child.stdin.write(`${command}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`libxenstore-replay ended: ${await once(child, 'close')}`)
    return Number(value)
  }
  return {
    pid: child.pid!,
    read: (path, times) => ask(`read ${path} ${times}`),
    replay: file => ask(`replay ${file}`),
    [Symbol.dispose]: () => void child.stdin.end(),
  }
}
