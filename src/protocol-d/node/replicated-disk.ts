import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { checkFlag, checkInteger, checkOptions } from '../../check-argument.js'
import type { Limits } from '../../link/limits.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { highestPromotion, zeroesAtMost } from '../geometry.js'
import type { CheckpointSent } from '../machine/checkpoints.js'
import type { NodeStatus } from '../machine/node-status.js'
import type { PromoteOptions } from '../machine/roles.js'
import type { ProtocolNode } from '../protocol-node.js'
import { AckWaiters } from './ack-waiters.js'
import { changeRole } from './change-role.js'
import { DiskCounts } from './disk-counts.js'
import { GreetingWatch } from './greeting-watch.js'
import type { NodeFiles } from './node-files.js'
import { openNode } from './open-node.js'
import { PeerConnection } from './peer-connection.js'
import { later, now } from './promised.js'
import { checkDiskOptions, type ReplicatedDiskOptions } from './replicated-disk-options.js'

/** What a node says of itself, and of its connection. */
export interface ReplicatedDiskStatus extends NodeStatus {
  /** Of the disk, in bytes. */
  size: number
  /** How many bytes wait to be sent. */
  unsent: number
  /** So many that the guest's writes wait. */
  isCongested: boolean
  /** Why the peer is not connected. */
  whyLost: string
}

/** How long a change of roles may take, in milliseconds. */
const changeTimeout = 30_000

/**
 * A disk that is kept on two machines, by protocol D or A: one of its nodes, on real files and a real network. What its guest does goes
 * through `backend`.
 */
export class ReplicatedDisk implements AsyncDisposable {
  /** @internal */
  readonly counts = new DiskCounts()
  readonly #node: ProtocolNode
  readonly #files: NodeFiles
  readonly #connection: PeerConnection
  readonly #sendBuffer: number
  readonly #watchers: Set<() => void>
  readonly #ackWaiters: AckWaiters
  #waiting: (() => void)[] = []
  #closed: Promise<void> | undefined

  private constructor(
    node: ProtocolNode,
    files: NodeFiles,
    watchers: Set<() => void>,
    connect: (disk: ReplicatedDisk) => PeerConnection,
    sendBuffer: number,
  ) {
    this.#node = node
    this.#ackWaiters = new AckWaiters(done => node.waitForAck(done))
    this.#files = files
    this.#watchers = watchers
    this.#sendBuffer = sendBuffer
    this.#connection = connect(this)
  }

  /**
   * Opens a node, which is Secondary, and connects it. Only one process has it at a time.
   *
   * @throws ProtocolDError in-use, other-pair, no-metadata, file-failed; LinkError with the system's code where it cannot listen
   */
  static async open(options: ReplicatedDiskOptions): Promise<ReplicatedDisk> {
    checkDiskOptions(options)
    const { pair, peer, tls, timeout = 6000, sendBuffer = 64 * 1024 * 1024 } = options
    const watchers = new Set<() => void>()
    let connection: PeerConnection | undefined
    const { node, files } = await openNode(options, {
      send: (...args) => connection?.send(...args),
      disconnect: () => connection?.drop(),
      pause: isPaused => connection?.pause(isPaused),
      changed: () => {
        for (const watcher of watchers) watcher()
      },
      newGeneration: () => randomBytes(16).toString('hex'),
    })
    const greeting = new GreetingWatch(node, timeout, () => connection?.drop('it does not greet'))
    const connect = (disk: ReplicatedDisk) => {
      connection = new PeerConnection(
        { peer, tls, pair, timeout },
        {
          connected(listens) {
            node.connected(listens)
            greeting.begin()
          },
          message: (channel, message) => node.receive(channel, message),
          disconnected() {
            greeting.end()
            node.disconnected()
            disk.#goOn()
          },
          drained: () => disk.#goOn(),
          isHeld: () => node.isHeld,
        },
      )
      return connection
    }
    const disk = new ReplicatedDisk(node, files, watchers, connect, sendBuffer)
    try {
      await disk.#connection.start()
      return disk
    } catch (error) {
      await disk.close()
      throw error
    }
  }

  /** Of the disk, in bytes. */
  get size(): number {
    return this.#node.geometry.size
  }

  /** Where the peer connects to; undefined where this node connects. */
  get address(): SocketAddress | undefined {
    return this.#connection.address
  }

  status(): ReplicatedDiskStatus {
    const { unsent } = this.#connection
    return {
      ...this.#node.status(),
      size: this.size,
      unsent,
      isCongested: unsent > this.#sendBuffer,
      whyLost: this.#connection.why,
    }
  }

  /** Calls back when something that `status` shows may have changed. What it returns ends that. */
  onChange(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /** @throws ProtocolDError; RangeError where it is not on the disk */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    this.#checkRange(offset, length)
    return now<Uint8Array>(done => this.#node.read(offset, length, done))
  }

  /** @throws ProtocolDError; RangeError where it is not on the disk */
  write(offset: number, data: Uint8Array): void | Promise<void> {
    this.#checkRange(offset, data.length)
    if (this.#connection.unsent <= this.#sendBuffer) return now<void>(done => this.#node.write(offset, data, done))
    return this.#whenSent().then(() => this.write(offset, data))
  }

  /** Also for what the guest has no use for any more. Aborted, it ends between two parts. @throws as `write`, and the signal's reason */
  writeZeroes(offset: number, length: number, { signal }: Pick<Limits, 'signal'> = {}): void | Promise<void> {
    this.#checkRange(offset, length)
    if (length <= zeroesAtMost) return now<void>(done => this.#node.zero(offset, length, done))
    return this.#writeManyZeroes(offset, length, signal)
  }

  /** Zeroes are written, which keeps the process: others have their turn in between. */
  async #writeManyZeroes(offset: number, length: number, signal: AbortSignal | undefined): Promise<void> {
    for (let at = 0; at < length; at += zeroesAtMost) {
      signal?.throwIfAborted()
      if (this.#connection.unsent > this.#sendBuffer) await this.#whenSent()
      await now<void>(done => this.#node.zero(offset + at, Math.min(zeroesAtMost, length - at), done))
      await setImmediate()
    }
  }

  flush(): void | Promise<void> {
    return now<void>(done => this.#node.flush(done))
  }

  /** Ends an epoch. @throws ProtocolDError no-checkpoints, no-peer, busy, not-primary, not-writer */
  checkpoint(): Promise<CheckpointSent> {
    return later<CheckpointSent>(done =>
      this.#node.checkpoint((error, sent) => {
        if (sent?.isAwaited) this.#countAck(sent.checkpoint)
        done(error, sent)
      }),
    )
  }

  /**
   * Waits until the peer has acknowledged the last epoch.
   *
   * @throws ProtocolDError peer-lost, also where the time is up: nothing is known of the checkpoint then
   */
  waitForAck(limits: Limits = {}): Promise<void> {
    return this.#ackWaiters.wait(limits)
  }

  /** Switches checkpointing on or off. Off on a node that is alone: what it wrote counts, whatever the peer does. @throws ProtocolDError */
  setCheckpointing(isOn: boolean): Promise<void> {
    checkFlag('isOn', isOn)
    return later<void>(done => this.#node.setCheckpointing(isOn, done))
  }

  /**
   * Makes the node Primary. Where the peer does not answer in time, the connection is ended.
   *
   * @throws ProtocolDError peer-is-primary, not-promotable, number-over, busy, peer-lost, refused
   */
  promote(options: PromoteOptions = {}, { timeout = changeTimeout }: Pick<Limits, 'timeout'> = {}): Promise<void> {
    checkOptions(options)
    checkFlag('two', options.two)
    checkFlag('force', options.force)
    if (options.number !== undefined) checkInteger('number', options.number, 1, highestPromotion)
    return this.#changeRole(
      timeout,
      () => this.#node.isAwaitingAnswer,
      done => {
        const { role, connection } = this.#node.status()
        const isFailOver = role === 'secondary' && (connection === 'none' || connection === 'refused')
        this.#node.promote(options, error => {
          if (error === undefined && isFailOver) this.counts.failedOver()
          done(error)
        })
      },
    )
  }

  /**
   * Makes the node Secondary, once the peer has all that was written. Where it does not acknowledge that in time, the connection is ended.
   *
   * @throws ProtocolDError busy, peer-lost; the node is Primary then
   */
  demote({ timeout = changeTimeout }: Pick<Limits, 'timeout'> = {}): Promise<void> {
    return this.#changeRole(
      timeout,
      () => true,
      done => this.#node.demote(done),
    )
  }

  /**
   * Says at the next meeting that what this node wrote alone does not count, and meets the peer anew. A promotion takes it back.
   *
   * @throws ProtocolDError is-primary
   */
  async discardOwnChanges(): Promise<void> {
    await later<void>(done => this.#node.discardOwnChanges(true, done))
    this.disconnect()
  }

  /** Lets a Primary that has no peer go on with its guest's writes (`asksAlone`), until both hold the same again. @throws ProtocolDError not-primary */
  goOnAlone(): Promise<void> {
    return later<void>(done => this.#node.goOnAlone(done))
  }

  /** Ends the connection; another one is made. */
  disconnect(): void {
    this.#connection.drop()
  }

  /** Closes the files. A Primary is to be demoted before: else it counts as crashed, which costs a longer resync. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#connection.close()
      this.#node.disconnected()
      this.#goOn()
      await this.#files.close()
    })()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @param isWaiting whether the peer is waited for when the time is up */
  #changeRole(
    timeout: number,
    isWaiting: () => boolean,
    start: (done: (error?: Error) => void) => void,
  ): Promise<void> {
    const isClosed = () => this.#closed !== undefined
    return changeRole(() => later<void>(start), { timeout, isWaiting, giveUp: () => this.disconnect(), isClosed })
  }

  /** Notes how long the peer takes to acknowledge a checkpoint. */
  #countAck(checkpoint: number): void {
    const acknowledged = this.counts.sent(checkpoint)
    if (acknowledged !== undefined)
      this.#node.waitForAck(error => {
        if (error === undefined) acknowledged()
      })
  }

  #checkRange(offset: number, length: number): void {
    checkInteger('offset', offset, 0, this.size)
    checkInteger('length', length, 0, this.size - offset)
  }

  #whenSent(): Promise<void> {
    for (const watcher of this.#watchers) watcher()
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
