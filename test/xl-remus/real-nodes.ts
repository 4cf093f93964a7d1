import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ServedStatus } from 'xenlight/protocol-d'
import { eventually } from '../protocol-d/eventually.js'
import { freePort } from '../protocol-d/free-port.js'
import { projectRoot } from '../support/project-root.js'
import { type Ended, type Staying, staying } from '../support/staying.js'

const command = join(projectRoot, 'dist/bin/xl-remus.cjs')

/** A machine with our command; all that it started is gone when the test is. */
export interface Machine {
  folder: string
  port: number
  pairFile: string
  /** Runs the command to its end. */
  remus(...args: string[]): Promise<Ended>
  /** Starts the command, which stays. */
  stay(...args: string[]): Staying
  node(name: string, peer: 'listen' | 'connect', ...options: string[]): Node
}

/** A node of the pair: files, sockets, and the process that serves it. */
export interface Node {
  image: string
  nbd: string
  control: string
  /** As its spec's target has it. */
  url: string
  create(...options: string[]): Promise<Ended>
  /** Starts to serve, and waits until it can be asked. */
  serve(...options: string[]): Promise<Staying>
  /** Starts to serve, and waits for nothing. */
  begin(...options: string[]): Staying
  ask(verb: string, ...args: string[]): Promise<Ended>
  status(): Promise<ServedStatus>
  until(what: string, isSo: (status: ServedStatus) => boolean): Promise<ServedStatus>
}

export async function machine(t: Test): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'xl-remus-'))
  const children: ChildProcess[] = []
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const { PATH } = process.env
  const pairFile = join(folder, 'pair')
  writeFileSync(pairFile, 'a name that nobody guesses\n')
  const stay = (...args: string[]): Staying => {
    const child = spawn(process.execPath, [command, ...args], { cwd: folder, env: { PATH } })
    children.push(child)
    return staying(child)
  }
  const here = { folder, port: await freePort(), pairFile, stay, remus: (...args: string[]) => stay(...args).ended }
  return { ...here, node: (name, peer, ...options) => nodeOf(here, name, peer, options) }
}

function nodeOf(
  { folder, port, pairFile, stay, remus }: Omit<Machine, 'node'>,
  name: string,
  peer: 'listen' | 'connect',
  more: readonly string[],
): Node {
  const [image, nbd, control] = ['img', 'nbd', 'ctl'].map(ending => join(folder, `${name}.${ending}`)) as [
    string,
    string,
    string,
  ]
  const pair = ['--pair-file', pairFile]
  const ask = (verb: string, ...args: string[]) => remus(verb, ...args, '--control', control)
  const status = async () => JSON.parse((await ask('status', '--json')).stdout) as ServedStatus
  const begin = (...options: string[]) => {
    const sockets = ['--nbd', nbd, '--control', control, `--${peer}`, `127.0.0.1:${port}`, '--dead-after', '1s']
    return stay('serve', image, ...pair, ...sockets, ...more, ...options)
  }
  return {
    image,
    nbd,
    control,
    url: `nbd+unix:///disk?socket=${nbd}`,
    create: (...options) => remus('create', image, ...pair, '--size', '4M', '--log-size', '64M', ...options),
    begin,
    async serve(...options) {
      const serving = begin(...options)
      await serving.until(/^(\{|secondary)/)
      return serving
    },
    ask,
    status,
    async until(what, isSo) {
      let last: ServedStatus | undefined
      await eventually(
        what,
        async () => {
          last = await status()
          return isSo(last)
        },
        () => JSON.stringify(last),
      )
      return last!
    },
  }
}

/** Two nodes that hold the same, the first one Primary. */
export async function pairOf(
  here: Machine,
  options: readonly string[] = [],
): Promise<{ anna: Node; berta: Node; serving: { anna: Staying; berta: Staying } }> {
  const anna = here.node('anna', 'listen', ...options)
  const berta = here.node('berta', 'connect', ...options)
  for (const node of [anna, berta]) {
    const { status, stderr } = await node.create()
    if (status !== 0) throw new Error(stderr)
  }
  const serving = { anna: await anna.serve(), berta: await berta.serve() }
  const promoted = await anna.ask('promote', '--force')
  if (promoted.status !== 0) throw new Error(promoted.stderr)
  for (const node of [anna, berta]) await node.until('both hold the same', ({ connection }) => connection === 'equal')
  return { anna, berta, serving }
}
