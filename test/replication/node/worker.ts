import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const program = fileURLToPath(new URL('replication-worker.js', import.meta.url))

/** An agent or a hub in a process of its own. */
export class Worker<Status> {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = createInterface(child.stdout!)[Symbol.asyncIterator]()
  }

  static async start<Status>(t: Test, what: 'agent' | 'hub', config: string): Promise<Worker<Status>> {
    const child = spawn(process.execPath, [program, what, config], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    const worker = new Worker<Status>(child)
    const line = await worker.#next()
    if (line !== 'ready') throw new Error(`the ${what} says ${line}`)
    return worker
  }

  async status(): Promise<Status> {
    this.#child.stdin!.write('\n')
    return JSON.parse(await this.#next())
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const closed = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await closed
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('it has ended')
    return value
  }
}
