import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectRoot } from '../support/project-root.js'

const run = promisify(execFile)
/** How long a program may run on a node, in milliseconds: ocf-tester calls an agent some 40 times. */
const runLimit = 300_000

/** A node of a cluster: processes in namespaces of their own, and a folder for what outlives a reboot. */
export class NamespaceNode {
  readonly name: string
  readonly folder: string
  readonly namespace: string
  #child: ChildProcess | undefined

  constructor(name: string, folder: string, namespace: string) {
    this.name = name
    this.folder = folder
    this.namespace = namespace
  }

  get isUp(): boolean {
    return this.#child !== undefined
  }

  /** Where its files are to be found from outside; undefined where it is down. */
  get root(): string | undefined {
    const init = this.#init()
    return init === undefined ? undefined : `/proc/${init}/root`
  }

  boot(): void {
    const unshared = ['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child']
    const init = ['sh', join(projectRoot, 'test/cluster/node-init.sh'), this.name, this.folder]
    const child = spawn('ip', ['netns', 'exec', this.namespace, ...unshared, ...init], {
      stdio: 'ignore',
    })
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    this.#child = child
  }

  /** As if its power were cut: all of its processes are gone when this returns. */
  async kill(): Promise<void> {
    const init = this.#init()
    if (init === undefined) return
    // the first process takes all others of its namespace with it, also those that are stopped
    process.kill(init, 'SIGKILL')
    while (this.#child !== undefined) await new Promise(resolve => setTimeout(resolve, 5))
  }

  /** Stops all of its processes, or lets them go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#pids()) {
      try {
        process.kill(pid, signal)
      } catch {
        // it has ended
      }
    }
  }

  /** The processes whose command line has that text. */
  pidsOf(text: string): number[] {
    return this.#pids().filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text)
      } catch {
        return false
      }
    })
  }

  /** Runs a program there. @throws where it fails */
  async run(...words: string[]): Promise<string> {
    const init = this.#init()
    if (init === undefined) throw new Error(`${this.name} is down`)
    const args = ['-t', `${init}`, '-m', '-u', '-i', '-n', '-p', '--', ...words]
    return (await run('nsenter', args, { timeout: runLimit })).stdout
  }

  #init(): number | undefined {
    const pid = this.#child?.pid
    if (pid === undefined) return undefined
    // ip is replaced by unshare, which waits for the first process
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return children === '' ? undefined : Number(children.split(' ')[0])
  }

  #pids(): number[] {
    const init = this.#init()
    if (init === undefined) return []
    const own = readlinkSync(`/proc/${init}/ns/pid`)
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .filter(pid => {
        try {
          return readlinkSync(`/proc/${pid}/ns/pid`) === own
        } catch {
          return false
        }
      })
  }
}
