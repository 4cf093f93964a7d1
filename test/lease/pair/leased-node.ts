import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connectDiskControl, type ServedStatus } from 'xenlight/protocol-d'
import { projectRoot } from '../../support/project-root.js'
import type { Way } from './way.js'

const command = join(projectRoot, 'dist/bin/xl-remus.cjs')
const plantedCommand = join(projectRoot, 'build/test/lease/pair/planted-remus.js')

export interface LeasedNodeOptions {
  name: string
  folder: string
  /** `--listen` or `--connect`, with its value. */
  peer: readonly string[]
  /** The ways to the members of etcd. */
  toEtcd: readonly Way[]
  /** Its ends at this node. */
  endpoints: readonly string[]
  /** In milliseconds. */
  ttl: number
  /** The mistake that it has. */
  plant?: string | undefined
}

/** A node of a pair under a lease, as a process. */
export class LeasedNode {
  readonly name: string
  readonly nbd: string
  readonly control: string
  readonly image: string
  readonly toEtcd: readonly Way[]
  readonly #args: readonly string[]
  readonly #plant: string | undefined
  #child: ChildProcess | undefined
  #said = ''

  constructor({ name, folder, peer, toEtcd, endpoints, ttl, plant }: LeasedNodeOptions) {
    const at = (ending: string) => join(folder, `${name}.${ending}`)
    this.name = name
    this.nbd = at('nbd')
    this.control = at('ctl')
    this.image = at('img')
    this.toEtcd = toEtcd
    this.#plant = plant
    this.#args = [
      ...[
        plant === undefined ? command : plantedCommand,
        'serve',
        this.image,
        '--pair-file',
        join(folder, 'pair'),
        ...peer,
      ],
      ...['--nbd', this.nbd, '--control', this.control, '--dead-after', '2s'],
      ...['--lease', 'web', '--etcd', endpoints.join(','), '--lease-ttl', `${ttl}ms`, '--node', name],
    ]
  }

  get isUp(): boolean {
    const child = this.#child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** What it said last. */
  get said(): string {
    return this.#said
  }

  start(): void {
    if (this.isUp) return
    const { PATH } = process.env
    const child = spawn(process.execPath, this.#args, {
      env: { PATH, PLANT: this.#plant },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-4000)
      })
    this.#child = child
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isUp) return
    const exited = once(this.#child!, 'exit')
    this.signal('SIGCONT')
    this.signal(signal)
    await exited
  }

  /** What it says of itself; undefined where it does not answer. */
  async status(): Promise<ServedStatus | undefined> {
    const limits = { timeout: 1000 }
    try {
      await using node = await connectDiskControl(this.control, limits)
      return await node.status(limits)
    } catch {
      return undefined
    }
  }

  async handOver(): Promise<void> {
    const limits = { timeout: 10_000 }
    await using node = await connectDiskControl(this.control, limits)
    await node.demote({ force: true }, limits)
  }

  async force(reason: string): Promise<void> {
    const limits = { timeout: 20_000 }
    await using node = await connectDiskControl(this.control, limits)
    await node.forceLease(reason, limits)
  }
}
