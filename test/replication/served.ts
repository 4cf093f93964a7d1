import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../support/project-root.js'

export interface ServedOptions {
  name: 'repagent' | 'rephub'
  /** What its command begins with. */
  prefix?: readonly string[] | undefined
  /** The path of its configuration. */
  config: string
  /** Modules that are loaded before it, by their places in faults/. */
  preload?: readonly string[] | undefined
  /** One that has a bug of ours, by its place in faults/: then the library's own modules run, which it changes. */
  planted?: string | undefined
  env?: Readonly<Record<string, string>> | undefined
}

/** One of our commands that serves, in a process of its own, so that it can be killed. */
export class Served {
  readonly #args: readonly string[]
  readonly #env: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  /** The end of what it has written. */
  said = ''

  constructor({ name, prefix = [], config, preload = [], planted, env = {} }: ServedOptions) {
    const module = (place: string) => fileURLToPath(new URL(`faults/${place}`, import.meta.url))
    const modules = [...preload, ...(planted === undefined ? [] : [planted])].flatMap(one => ['--import', module(one)])
    const command = join(projectRoot, planted === undefined ? `dist/bin/${name}.cjs` : `dist/${name}/main.js`)
    this.#args = [...prefix, process.execPath, ...modules, command, 'serve', '--config', config]
    this.#env = env
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
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
    })
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
