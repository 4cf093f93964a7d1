import type { FileHost } from './file-host.js'
import type { Geometry } from './geometry.js'
import { LogFile } from './keep/log-file.js'
import type { MetaRecord } from './keep/meta-record.js'
import { Metadata } from './keep/metadata.js'
import { type CheckpointSent, Checkpoints } from './machine/checkpoints.js'
import { Core, type Done, notPrimary, type Result } from './machine/core.js'
import { Greeting } from './machine/greeting.js'
import { GuestWrites } from './machine/guest-writes.js'
import { Link } from './machine/link.js'
import type { NodeOptions } from './machine/node-options.js'
import { type NodeStatus, statusOf } from './machine/node-status.js'
import { PeerWrites } from './machine/peer-writes.js'
import { Resync } from './machine/resync.js'
import { type PromoteOptions, Roles } from './machine/roles.js'
import type { Channel, NodeHost } from './node-host.js'
import { ProtocolDError } from './protocol-d-error.js'
import type { DataMessage, Message, MetaMessage } from './stream/message.js'

/** A new disk. */
export interface NewNode {
  geometry: Geometry
  /** Which pair it is of: both nodes have the same. */
  pair: string
  /** A random number: records of an earlier log in the same file are not taken for this one's. */
  logId: number
}

/**
 * A node of a disk that is kept on two: a state machine over messages, its host's files, and what its users ask for. It has no clock, no
 * socket and no file of its own, and takes one call at a time.
 */
export class ProtocolNode {
  readonly #core: Core
  readonly #writes: GuestWrites
  readonly #checkpoints: Checkpoints
  readonly #resync: Resync
  readonly #roles: Roles
  readonly #greeting: Greeting
  readonly #peerWrites: PeerWrites

  private constructor(core: Core) {
    this.#core = core
    this.#writes = new GuestWrites(core)
    this.#checkpoints = new Checkpoints(core, this.#writes)
    this.#resync = new Resync(core, this.#writes)
    this.#roles = new Roles(core, this.#writes, this.#checkpoints, this.#resync)
    this.#greeting = new Greeting(core, this.#roles, this.#resync)
    this.#peerWrites = new PeerWrites(core)
  }

  /** Writes the metadata of a disk that is not replicated yet: nothing is known of its data. */
  static create(host: FileHost, { geometry, pair, logId }: NewNode, done: Done): void {
    const { activeExtents: _, ...kept } = geometry
    const record: MetaRecord = {
      pair,
      ...kept,
      disk: 'inconsistent',
      generations: { current: '', bases: [], history: [] },
      role: 'secondary',
      mode: 'direct',
      checkpoint: 0,
      promotion: 0,
      isVolatile: false,
      log: { id: logId, head: 0, sequence: 1, previous: 0 },
      activity: [],
    }
    LogFile.create(host, logId, error =>
      error !== undefined ? done(error) : Metadata.create(host, geometry, record, done),
    )
  }

  /** Goes on with a disk: whatever it was before, it is Secondary. Fails with ProtocolDError no-metadata, or a file's error. */
  static open(host: NodeHost, options: NodeOptions, done: Result<ProtocolNode>): void {
    Metadata.load(host, options, (error, metadata) => {
      if (error !== undefined) return done(error)
      const core = new Core(host, options, metadata!)
      core.log.recover((failure, committed = 0) => {
        if (failure !== undefined) return done(failure)
        const { isVolatile, disk, checkpoint } = core.record
        // what it acknowledged from memory may be lost
        const isOutdated = isVolatile && disk === 'consistent'
        const change = {
          disk: isOutdated ? ('outdated' as const) : disk,
          checkpoint: Math.max(checkpoint, committed),
          role: 'secondary' as const,
          isVolatile: false,
        }
        core.metadata.save(change, problem => done(problem, problem ? undefined : new ProtocolNode(core)))
      })
    })
  }

  /** The name of the pair that it was made for. */
  get pair(): string {
    return this.#core.record.pair
  }

  /** Whether it takes nothing more of what the peer sends for the time being. */
  get isHeld(): boolean {
    return this.#core.link?.isHeld === true
  }

  /** Whether it waits for the peer's answer to a promotion. */
  get isAwaitingAnswer(): boolean {
    return this.#core.link?.roleAnswer !== undefined
  }

  /** Whether a change of its own is under way. */
  get isBusy(): boolean {
    return this.#core.isBusy
  }

  get geometry(): Geometry {
    return this.#core.geometry
  }

  status(): NodeStatus {
    return statusOf(this.#core)
  }

  /** Writes on a Primary. The data is the node's until `done`. */
  write(offset: number, data: Uint8Array, done: Done): void {
    this.#writes.write({ offset, length: data.length, data, done })
  }

  /** Writes zeroes: also for what the guest has no use for any more, as both nodes are to hold the same. */
  zero(offset: number, length: number, done: Done): void {
    this.#writes.write({ offset, length, data: undefined, done })
  }

  /** Reads on a Primary what was written there, or received and committed. */
  read(offset: number, length: number, done: Result<Uint8Array>): void {
    this.#writes.read(offset, length, done)
  }

  /** Makes durable what was written here; of two Primaries without checkpoints, also visible to the other. */
  flush(done: Done): void {
    this.#writes.flush(done)
  }

  /** Ends an epoch (ioctl 20 of DRBD's protocol D). Fails with ProtocolDError no-checkpoints, no-peer, busy, not-primary, not-writer. */
  checkpoint(done: Result<CheckpointSent>): void {
    this.#checkpoints.send(done)
  }

  /** Waits for the last epoch's acknowledgement (ioctl 30). Fails with ProtocolDError peer-lost. */
  waitForAck(done: Done): void {
    this.#checkpoints.wait(done)
  }

  /** Switches checkpointing on or off; off also on a node that is alone, and goes on alone from then on. */
  setCheckpointing(isOn: boolean, done: Done): void {
    this.#checkpoints.switch(isOn, done)
  }

  /** Makes the node Primary. Fails with ProtocolDError peer-is-primary, not-promotable, number-over, busy, peer-lost, refused. */
  promote(options: PromoteOptions, done: Done): void {
    this.#roles.promote(options, done)
  }

  /** Makes the node Secondary. Fails with ProtocolDError busy, peer-lost. */
  demote(done: Done): void {
    this.#roles.demote(done)
  }

  /** Lets a Primary that has no peer go on with its guest's writes (`asksAlone`), until it has one again. Fails with ProtocolDError not-primary. */
  goOnAlone(done: Done): void {
    const core = this.#core
    if (core.record.role !== 'primary') {
      done(notPrimary())
      return
    }
    core.allowAlone()
    done()
  }

  /**
   * Says at the next meeting that what this node wrote alone does not count; `false` takes that back, and so does a promotion. Fails with
   * ProtocolDError is-primary: what a guest is writing is not discarded.
   */
  discardOwnChanges(discards: boolean, done: Done): void {
    const { record, host } = this.#core
    if (discards && record.role === 'primary') {
      done(new ProtocolDError('is-primary', 'the node is Primary, and what is written there counts: demote it first'))
      return
    }
    this.#core.discards = discards
    host.changed()
    done()
  }

  /** A connection is there. The node that listens answers, the other one begins. */
  connected(listens: boolean): void {
    const core = this.#core
    if (core.failure !== undefined) {
      core.host.disconnect()
      return
    }
    const link = new Link(core.host, core.geometry, core, listens, message => this.#take(link, message))
    core.link = link
    if (!listens) this.#greeting.begin(link)
    core.host.changed()
  }

  /** The connection has ended. */
  disconnected(): void {
    this.#core.lost()
  }

  /** Something has come from the peer. */
  receive(channel: Channel, message: Message): void {
    const { link } = this.#core
    if (link === undefined) return
    if (channel === 'data') link.receive(message as DataMessage)
    else this.#takeMeta(link, message as MetaMessage)
  }

  #takeMeta(link: Link, message: MetaMessage): void {
    switch (message.kind) {
      case 'checkpointAck':
        this.#checkpoints.acknowledged(message.checkpoint)
        return
      case 'barrierAck':
        this.#resync.takeBarrierAck(link, message.sequence)
        return
      case 'copiedAck':
        this.#resync.takeCopiedAck(link)
        return
    }
  }

  #take(link: Link, message: DataMessage): void {
    switch (message.kind) {
      case 'hello':
        this.#greeting.takeHello(link, message.hello)
        return
      case 'verdict':
        this.#greeting.takeVerdict(link, message.verdict)
        return
      case 'begin':
        this.#resync.beginAsTarget(link, message.generation)
        return
      case 'differing':
        this.#resync.takeDiffering(link, message)
        return
      case 'copied':
        this.#resync.endAsTarget(link, message)
        return
      case 'copy':
      case 'write':
      case 'zero':
        this.#peerWrites.take(link, message)
        return
      case 'barrier':
        this.#peerWrites.takeBarrier(link, message)
        return
      case 'role':
        this.#roles.takeRole(link)
        return
      case 'roleRequest':
        this.#roles.answerRole(link, message)
        return
      case 'roleAnswer':
        this.#roles.takeRoleAnswer(link, message.refusal)
        return
      case 'writerRequest':
        this.#roles.answerWriter(link)
        return
      case 'writerAnswer':
        this.#roles.takeWriterAnswer(link, message.refusal)
        return
    }
  }
}
