import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from '../support/project-root.js'

/** One of our commands that serves, `repagent` or `rephub`, in a process of its own, so that it can be killed. */
export class Served {
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  said = ''

  /** @param prefix what its command begins with @param config its configuration file */
  constructor(prefix: readonly string[], name: 'repagent' | 'rephub', config: string) {
    const command = join(projectRoot, `dist/bin/${name}.cjs`)
    this.#args = [...prefix, process.execPath, command, 'serve', '--config', config]
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** The process, where it runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    // a test that is killed stops nothing: the kernel does
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said = (this.said + text).slice(-20_000)
      })
    this.#child = child
    this.#ended = new Promise(resolve => child.once('close', () => resolve()))
    void this.#ended.then(() => {
      if (this.#child === child) this.#child = undefined
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child?.kill(signal)
    this.#child = undefined
    await this.#ended
  }
}
