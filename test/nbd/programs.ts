import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MissingRealPart } from '../support/real-part.js'

const run = promisify(execFile)

const packages: Record<string, string> = {
  nbdinfo: 'libnbd-bin',
  nbdcopy: 'libnbd-bin',
  nbdkit: 'nbdkit',
  fio: 'fio',
  openssl: 'openssl',
  chromium: 'chromium',
  'qemu-img': 'qemu-utils',
  'qemu-io': 'qemu-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-nbd': 'qemu-utils',
  script: 'bsdutils',
  'systemd-analyze': 'systemd',
}

/** @throws MissingRealPart */
export function needs(...programs: string[]): void {
  for (const program of programs)
    if (!existsSync(`/usr/bin/${program}`)) throw new MissingRealPart(program, packages[program]!)
}

/** What a program that must succeed prints. */
export async function output(program: string, ...args: string[]): Promise<string> {
  needs(program)
  const { stdout } = await run(`/usr/bin/${program}`, args, { timeout: 120_000 })
  return stdout
}

/** Whether it succeeds. */
export async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  return output(program, ...args).then(
    () => true,
    error => {
      if (error instanceof MissingRealPart) throw error
      return false
    },
  )
}

/** A server that listens at a unix socket. */
export class RunningServer implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(path: string, program: string, ...args: string[]): Promise<RunningServer> {
    needs(program)
    const server = new RunningServer(spawn(`/usr/bin/${program}`, args, { stdio: 'ignore' }))
    while (!(await listens(path))) {
      if (server.#child.exitCode !== null) throw new Error(`${program} ended with ${server.#child.exitCode}`)
      await setTimeout(10)
    }
    return server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

const listens = (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
