import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectedSide, connectSide } from '../../../colo/node/connect-side.js'
import type { RecordStore } from '../../../colo/records/record-store.js'
import { quit } from '../../../qmp/commands/quit.js'

/** QEMU's monitors: two for this node, two for the other one, and one for who looks on. */
const names = ['own', 'own-urgent', 'peer', 'peer-urgent', 'monitor'] as const

/** How often it is looked whether QEMU has its monitors, in milliseconds. */
const lookInterval = 20
/** How long QEMU may take to end in order, in milliseconds. */
const quitTimeout = 5000
/** For a command of QEMU that has no limit of its own, in milliseconds. */
const commandTimeout = 10_000

export type MonitorName = (typeof names)[number]

export const monitorOf = (folder: string, name: MonitorName): string => join(folder, `${name}.qmp`)

const monitorWord = (folder: string, name: MonitorName): string => `unix:${monitorOf(folder, name)},server=on,wait=off`

/** What is appended to the operator's own arguments. */
const qemuArguments = (folder: string): readonly string[] => [
  '-S',
  ...names.flatMap(name => ['-qmp', monitorWord(folder, name)]),
]

/** The processes that run a guest's QEMU, ours or those of one that is gone. */
export function qemusOf(folder: string): number[] {
  const word = monitorWord(folder, 'own')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
      } catch {
        return false
      }
    })
    .map(Number)
}

export interface QemuOptions {
  program: string
  folder: string
  records: RecordStore
  /** The file whose lock QEMU shares: it is held as long as either process lives. */
  lock: number
  signal: AbortSignal
}

/** A guest's QEMU, which stands still, and this node's connections to it. */
export class GuestQemu implements AsyncDisposable {
  readonly side: ConnectedSide
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ended: Promise<string>, side: ConnectedSide) {
    this.#child = child
    this.ended = ended
    this.side = side
  }

  /** @throws Error where it ends, or cannot be asked */
  static async start({ program, folder, records, lock, signal }: QemuOptions): Promise<GuestQemu> {
    for (const name of names) rmSync(monitorOf(folder, name), { force: true })
    // it ends with this process: nobody would watch it
    const words = ['--pdeathsig', 'KILL', '--', program, ...qemuArguments(folder)]
    const child = spawn('setpriv', words, { stdio: ['ignore', 'inherit', 'inherit', lock] })
    let end: string | undefined
    const ended = new Promise<string>(resolve => {
      const over = (how: string) => {
        end ??= how
        resolve(end)
      }
      child.once('error', error => over(`QEMU cannot be started: ${error.message}`))
      child.once('exit', (status, by) => over(`QEMU ended (${status ?? by})`))
    })
    try {
      // the last of them is made last
      while (end === undefined && !existsSync(monitorOf(folder, 'monitor'))) {
        signal.throwIfAborted()
        await delay(lookInterval, undefined, { signal })
      }
      if (end !== undefined) throw new Error(end)
      const [qmp, urgent] = [{ path: monitorOf(folder, 'own') }, { path: monitorOf(folder, 'own-urgent') }]
      const side = await connectSide({ qmp, urgent, records }, { timeout: commandTimeout, signal })
      return new GuestQemu(child, ended, side)
    } catch (error) {
      child.kill('SIGKILL')
      throw end === undefined ? error : new Error(end, { cause: error })
    }
  }

  /** Ends it in order, or at once where that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    const over = new AbortController()
    // who ends may not answer any more
    this.side.qmp.run(quit, undefined, { timeout: quitTimeout }).catch(() => {})
    const isInOrder = await Promise.race([
      this.ended.then(() => true),
      delay(quitTimeout, false, { signal: over.signal }).catch(() => true),
    ])
    over.abort()
    if (!isInOrder) this.#child.kill('SIGKILL')
    await this.ended
    await this.side[Symbol.asyncDispose]()
  }
}
