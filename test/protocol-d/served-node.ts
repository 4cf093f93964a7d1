import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectDiskControl, createReplicatedDisk, type DiskControl, type ServedStatus } from 'xenlight/protocol-d'
import { type Qemu, startQemu } from '../real/qemu.js'
import { projectRoot } from '../support/project-root.js'
import { eventually } from './eventually.js'

export const megabyte = 1024 * 1024

export interface NodePlace {
  folder: string
  /** `a` or `b`. */
  name: string
  /** `--listen WHERE` or `--connect WHERE`. */
  peer: readonly [option: string, where: string]
  /** More of its options. */
  options?: readonly string[]
  /** What its command begins with. */
  prefix?: readonly string[]
}

/** A node that `xl-remus serve` serves in a process of its own, so that it can be killed. */
export class ServedNode implements AsyncDisposable {
  readonly #place: NodePlace
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  said = ''

  constructor(place: NodePlace) {
    this.#place = place
  }

  get image(): string {
    return join(this.#place.folder, `${this.#place.name}.img`)
  }

  get socket(): string {
    return join(this.#place.folder, `${this.#place.name}.nbd`)
  }

  /** What `target=` says in its disk's spec. */
  get url(): string {
    return `nbd+unix:///disk?socket=${this.socket}`
  }

  get #controlSocket(): string {
    return join(this.#place.folder, `${this.#place.name}.ctl`)
  }

  /** What its disk's image has now. */
  contents(): Buffer {
    return readFileSync(this.image)
  }

  async create(size: number): Promise<void> {
    const pair = readFileSync(join(this.#place.folder, 'pair'), 'utf8').trim()
    await createReplicatedDisk({ data: this.image, size, pair, logSize: 64 * megabyte })
  }

  /** Starts it, and waits until it can be asked. */
  async start(): Promise<void> {
    const { folder, peer, options = [], prefix = [] } = this.#place
    const command = join(projectRoot, 'dist/bin/xl-remus.cjs')
    const files = ['--pair-file', join(folder, 'pair'), '--nbd', this.socket, '--control', this.#controlSocket]
    const args = [...prefix, process.execPath, command, 'serve', this.image, ...files, ...peer, ...options]
    // a test that is killed stops nothing: the kernel does
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        this.said += text
      })
    this.#child = child
    let isOver = false
    this.#ended = new Promise(resolve =>
      child.once('close', () => {
        isOver = true
        resolve()
      }),
    )
    await eventually('the node serves', async () => {
      if (isOver) throw new Error(`xl-remus has ended: ${this.said}`)
      if (!existsSync(this.#controlSocket)) return false
      return connectDiskControl(this.#controlSocket, { timeout: 1000 }).then(
        async control => {
          await control.close()
          return true
        },
        () => false,
      )
    })
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child?.kill(signal)
    return this.#ended
  }

  control(): Promise<DiskControl> {
    return connectDiskControl(this.#controlSocket, { timeout: 5000 })
  }

  async status(): Promise<ServedStatus> {
    try {
      await using control = await this.control()
      return await control.status({ timeout: 5000 })
    } catch (error) {
      throw new Error(`${(error as Error).message}; it said ${this.said}`, { cause: error })
    }
  }

  /** Waits until its status is as it has to be. */
  async until(what: string, isSo: (status: ServedStatus) => boolean): Promise<ServedStatus> {
    let last: ServedStatus | undefined
    await eventually(
      what,
      async () => {
        last = await this.status()
        return isSo(last)
      },
      () => JSON.stringify(last),
    )
    return last!
  }

  /** A QEMU that has the disk as its first hard disk; its guest does not run yet. */
  async qemu(): Promise<Qemu> {
    const node = { driver: 'nbd', 'node-name': 'd', export: 'disk', server: { type: 'unix', path: this.socket } }
    const disk = ['-blockdev', JSON.stringify(node), '-device', 'ide-hd,drive=d']
    const { qemu, refusal } = await startQemu(['-m', '16', '-debugcon', 'stdio', ...disk])
    if (qemu === undefined) throw new Error(refusal)
    return qemu
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
