import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program of dom0; its standard output. Rejects with what it wrote to standard error. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(program, args, { maxBuffer: 1 << 24 })
  return stdout
}

/** Asks again and again until there is an answer, or until a minute is over. */
export async function eventually<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`${what}: not within a minute`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** Every node with its value and permissions, as xenstore-ls has them. What guests report of their memory comes and goes. */
export async function wholeTree(): Promise<string[]> {
  const lines = (await run('xenstore-ls', '-fp')).split('\n')
  return lines.filter(line => !/^\/local\/domain\/\d+\/(memory|data)\//.test(line))
}

/** A line of `xl block-list`. */
export interface ListedDevice {
  devid: number
  /** Of the frontend. */
  state: number
  backend: string
}

export async function blockList(domid: number): Promise<ListedDevice[]> {
  const [, ...lines] = (await run('xl', 'block-list', String(domid))).trim().split('\n')
  return lines
    .map(line => line.trim().split(/\s+/))
    .map(([devid, , , state, , , backend]) => ({ devid: Number(devid), state: Number(state), backend: backend ?? '' }))
    .sort((a, b) => a.devid - b.devid)
}
