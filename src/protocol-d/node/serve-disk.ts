import { resolve } from 'node:path'
import { checkObject, checkText, checkTimeout } from '../../check-argument.js'
import { Controllers } from '../../control/controllers.js'
import { longestTimeout } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import { type Listener, listen } from '../../link/node/listener.js'
import { listening } from '../../link/node/listening.js'
import type { ZeroOptions } from '../../nbd/block-backend.js'
import { formatNbdUrl } from '../../nbd/nbd-url.js'
import { listenNbd, type NbdListener } from '../../nbd/node/listen-nbd.js'
import { type Command, readCommand } from '../control/command.js'
import type { ServedStatus } from '../control/served-status.js'
import { ProtocolDError } from '../protocol-d-error.js'
import type { Arbiter } from './arbiter.js'
import { AskedArbiter } from './asked-arbiter.js'
import type { Guard } from './guard.js'
import { GuardedBackend, noLease } from './guarded-backend.js'
import { ReplicatedDisk } from './replicated-disk.js'
import type { ReplicatedDiskOptions } from './replicated-disk-options.js'

/** What any of the commands needs. */
interface Given {
  isOn?: boolean
  two?: boolean
  force?: boolean
  number?: number
  reason?: string
  timeout?: number
}

export interface ServeOptions extends Omit<ReplicatedDiskOptions, 'asksAlone'> {
  /** The disk's name for its NBD clients. */
  name: string
  /** The unix socket of its NBD clients. */
  nbd: string
  /** The unix socket over which it is controlled: `connectDiskControl`. */
  control: string
  /** Decides whether a Primary goes on without its peer. Without one it does. */
  arbiter?: Arbiter | undefined
  /** Promotes the node and demotes it, in the place of who controls it. Without one the disk is served while the node is Primary. */
  guard?: Guard | undefined
}

/** How long a change may wait for the peer, in milliseconds: one that is asked for, and one at the end. */
const changeTimeout = 30_000
const closeTimeout = 10_000

export interface DemoteOptions {
  /** Disconnect its NBD clients. */
  force?: boolean | undefined
  /** How long it may wait for them, and for the peer, in milliseconds. 30,000 by default. */
  timeout?: number | undefined
}

/**
 * A node that is served: its disk over NBD while it is Primary, and what can be asked of it over a control socket. Both sockets are for
 * this user alone.
 */
export class ServedDisk implements AsyncDisposable {
  readonly disk: ReplicatedDisk
  readonly #options: ServeOptions
  readonly #arbiter: AskedArbiter | undefined
  readonly #guard: Guard | undefined
  readonly #guarded = new GuardedBackend(() => this.#mayServe)
  readonly #watchers = new Set<() => void>()
  #nbd!: NbdListener
  #control!: Listener
  readonly #controllers = new Controllers((request, gone) => {
    const command = readCommand(request)
    return command && this.#do(command, gone)
  })
  /** How many are ending its clients: no other one may come meanwhile. */
  #closing = 0

  private constructor(disk: ReplicatedDisk, options: ServeOptions) {
    this.disk = disk
    this.#options = options
    const { arbiter, guard } = options
    const changed = () => {
      for (const watcher of this.#watchers) watcher()
    }
    this.#arbiter = arbiter && new AskedArbiter(arbiter, disk, changed)
    this.#guard = guard
    guard?.onChange(changed)
    disk.onChange(() => {
      this.#arbiter?.look()
      changed()
    })
  }

  /** @throws ProtocolDError; LinkError with the system's code where it cannot listen */
  static async serve(given: ServeOptions): Promise<ServedDisk> {
    checkObject('options', given)
    for (const name of ['name', 'nbd', 'control'] as const) checkText(name, given[name])
    // its URL is for who is in another folder
    const options = { ...given, nbd: resolve(given.nbd) }
    const disk = await ReplicatedDisk.open({ ...options, asksAlone: options.arbiter !== undefined })
    const served = new ServedDisk(disk, options)
    try {
      const find = (name: string) =>
        name === options.name && served.#isOpen ? { name, backend: served.#backend() } : undefined
      const names = () => (served.#isOpen ? [options.name] : [])
      const nbd = { path: options.nbd }
      served.#nbd = await listening('NBD clients', nbd, listenNbd(nbd, find, { names, mayAnswer: served.#mayAnswer }))
      const control = { path: options.control }
      const listener = listen(control, duplex => served.#controllers.accept(duplex))
      served.#control = await listening('who controls it', control, listener)
    } catch (error) {
      await served.close()
      throw error
    }
    return served
  }

  /** What `target=` of a disk spec says to have this disk. */
  get url(): string {
    const { nbd, name } = this.#options
    return formatNbdUrl({ tls: false, address: { path: nbd }, exportName: name })
  }

  status(): ServedStatus {
    const { address } = this.disk
    const listens = address === undefined || 'path' in address ? address?.path : `${address.host}:${address.port}`
    const whyNotAlone = this.#arbiter?.why ?? ''
    return {
      ...this.disk.status(),
      whyNotAlone,
      clients: this.#nbd.connections,
      url: this.url,
      listens,
      lease: this.#guard?.status(),
    }
  }

  /** Calls back when something that `status` shows may have changed. What it returns ends that. */
  onChange(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /**
   * Makes the node Secondary. Where its clients' writes, or the peer's acknowledgement, do not come in time, the connection is ended.
   *
   * @throws ProtocolDError in-use where it has NBD clients, unless they are to be disconnected; busy, peer-lost; LinkError EBUSY where it
   * is still Primary, and its clients were disconnected
   */
  async demote({ force = false, timeout = changeTimeout }: DemoteOptions = {}): Promise<void> {
    checkTimeout('timeout', timeout)
    const { connections } = this.#nbd
    if (!force) this.#mustBeFree()
    this.#closing++
    try {
      await this.#freeing(timeout, () => {
        const dropped = this.#nbd.drop(this.#options.name)
        this.#guarded.cut()
        return dropped
      })
      await this.disk.demote({ timeout })
    } catch (error) {
      if (connections === 0) throw error
      const { message } = error as Error
      throw new LinkError('EBUSY', `${message}; its NBD clients (${connections}) were disconnected`, { cause: error })
    } finally {
      this.#closing--
    }
  }

  /** Ends all of it; a Primary is demoted first, where it can be: alone, where its peer does not acknowledge what was written in time. */
  async close(): Promise<void> {
    this.#closing++
    this.#guard?.ending()
    this.#arbiter?.close()
    this.#controllers.endAll()
    await this.#control?.close()
    await this.#freeing(closeTimeout, async () => {
      const closed = this.#nbd?.close()
      this.#guarded.cut()
      await closed
    })
    // what cannot be demoted now counts as crashed, and is dealt with when it comes back
    await this.disk
      .demote({ timeout: closeTimeout })
      .catch(() => this.disk.demote({ timeout: closeTimeout }))
      .catch(() => {})
    await this.disk.close()
  }

  /** Writes that wait for a peer which takes nothing go on when the connection to it ends. */
  async #freeing(timeout: number, work: () => Promise<void>): Promise<void> {
    const timer = setInterval(() => this.disk.disconnect(), Math.min(timeout, longestTimeout))
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #isOpen(): boolean {
    const { role, fencedBy } = this.disk.status()
    return this.#closing === 0 && role === 'primary' && fencedBy === undefined && this.#mayServe
  }

  get #mayServe(): boolean {
    return this.#guard?.isHeld() !== false
  }

  get #mayAnswer(): (() => boolean) | undefined {
    return this.#guard && (() => this.#mayServe)
  }

  /** @throws ProtocolDError in-use */
  #mustBeFree(): void {
    const { connections } = this.#nbd
    if (connections > 0)
      throw new ProtocolDError('in-use', `the disk has NBD clients (${connections}): end them, or use force`)
  }

  #backend() {
    const { disk } = this
    if (this.#guard !== undefined) return this.#guardedBackend()
    return {
      size: disk.size,
      read: (offset: number, length: number) => disk.read(offset, length),
      write: (offset: number, data: Uint8Array) => disk.write(offset, data),
      writeZeroes: (offset: number, length: number, options: ZeroOptions) => disk.writeZeroes(offset, length, options),
      trim: (offset: number, length: number) => disk.writeZeroes(offset, length),
      flush: () => disk.flush(),
    }
  }

  #guardedBackend() {
    const { disk } = this
    const guarded = this.#guarded
    return {
      size: disk.size,
      read: (offset: number, length: number) => guarded.run(() => disk.read(offset, length)),
      write: (offset: number, data: Uint8Array) => guarded.run(() => disk.write(offset, data)),
      writeZeroes: (offset: number, length: number, options: ZeroOptions) =>
        guarded.run(() => disk.writeZeroes(offset, length, options)),
      trim: (offset: number, length: number) => guarded.run(() => disk.writeZeroes(offset, length)),
      flush: () => guarded.run(() => disk.flush()),
    }
  }

  /** What is answered to who takes checkpoints is a promise as well. */
  async #promised<Value>(work: Promise<Value>): Promise<Value> {
    const value = await work
    if (!this.#mayServe) throw noLease()
    return value
  }

  async #promote({ two, force, number, reason, timeout }: Given): Promise<void> {
    if (this.#guard === undefined) {
      if (reason !== undefined)
        throw new ProtocolDError('no-lease', 'the node is served under no lease: promote it with force')
      return this.disk.promote({ two, force, number }, { timeout })
    }
    if (reason === undefined) throw decidedByLease('promote it with --force-lease REASON, against its advice')
    await this.#guard.force(reason, told(timeout))
  }

  async #handOver({ force, timeout = changeTimeout }: Given): Promise<void> {
    if (this.#guard === undefined) return this.demote({ force, timeout })
    if (force !== true) this.#mustBeFree()
    await this.#guard.handOver(told(timeout))
  }

  async #do({ execute, arguments: given }: Command, gone: AbortSignal): Promise<unknown> {
    const { isOn, timeout } = given as Given
    switch (execute) {
      case 'status':
        return this.status()
      case 'checkpoint':
        return this.#promised(this.disk.checkpoint())
      case 'wait':
        return this.#promised(this.disk.waitForAck({ timeout, signal: gone }))
      case 'checkpointing':
        return this.#promised(this.disk.setCheckpointing(isOn === true))
      case 'promote':
        return this.#promote(given as Given)
      case 'demote':
        return this.#handOver(given as Given)
      case 'discard':
        return this.disk.discardOwnChanges()
      case 'disconnect':
        return this.disk.disconnect()
      case 'goOnAlone':
        if (this.#guard !== undefined) throw decidedByLease('it goes on alone once the catalogue says so')
        return this.disk.goOnAlone()
    }
  }
}

/** Whoever asks is told before its own time is up. */
const told = (timeout = changeTimeout) => ({ timeout: Math.ceil(timeout * 0.8) })

const decidedByLease = (hint: string): ProtocolDError =>
  new ProtocolDError('refused', `the lease of the node decides it: ${hint}`)
