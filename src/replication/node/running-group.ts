import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { FifoLock } from '../../link/fifo-lock.js'
import { listening } from '../../link/node/listening.js'
import { listenNbd, type NbdListener } from '../../nbd/node/listen-nbd.js'
import { printable } from '../../printable.js'
import { type Beginning, failureOf } from '../agent/group-stream.js'
import type { HubLink } from '../agent/hub-link.js'
import type { ResyncReason } from '../agent/resync-reason.js'
import { resyncText } from '../agent/resync-reason.js'
import { SinkGroup } from '../agent/sink-group.js'
import type { TakenPoint } from '../agent/taken-point.js'
import { type Failure, recoveryPoint } from '../agent/volume-state.js'
import type { HubRight } from '../config/hub-rights.js'
import type { Monitors } from '../cycles/monitors.js'
import { takeOut } from '../cycles/take-out.js'
import type { Folder } from '../folder.js'
import { isName, nameRule } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { Message } from '../wire/message.js'
import type { AgentGroup, AgentGroupStatus, GroupWishes } from './agent-group.js'
import { Closers } from './closers.js'
import { CycleProtection } from './cycle-protection.js'
import { GroupCounts } from './group-counts.js'
import { findGuestDisks, type GuestDisk } from './guest-disks.js'
import { checkRight } from './hub-right.js'
import { KeptRecord } from './kept-record.js'
import { LiveProtection } from './live-protection.js'
import { nodeClock } from './node-clock.js'
import type { Protection } from './protection.js'
import { QemuLink } from './qemu-link.js'
import { runningState } from './running-state.js'
import { SyncProgress } from './sync-progress.js'

export interface RunningGroupOptions {
  name: string
  way: 'cycles' | 'child'
  /** The paths of QEMU's monitors. */
  qmp: string
  urgent?: string | undefined
  /** By name, each with its device's or its node's name in QEMU. */
  disks: Readonly<Record<string, { node: string }>>
  /** In milliseconds: how often there is a consistency point, how long a guest may wait, and the recovery point that is wanted. */
  every: number
  deadline: number
  target?: number | undefined
  /** What the agent must not forget of the group. */
  folder: Folder
  /** The folder of its sockets. */
  run: string
  /** How much waits for the hub, in bytes. */
  memory: number
  changed(): void
  /** What the hub may do with it. */
  hubMay: readonly HubRight[]
}

/** For how long a hub may be silent, in milliseconds. */
const heartbeat = 10_000
/** How long it waits before QEMU is asked again for what it refused, in milliseconds: twice as long each time. */
const first = 500
const most = 5000

/** A protection, and what it was made for. */
interface Current {
  protection: Protection
  monitors: Monitors
  replica: string
}

/** A group whose disks a running QEMU has: what changes is copied by its block jobs, or comes as the guest writes it. */
export class RunningGroup implements AgentGroup {
  readonly name: string
  readonly counts: GroupCounts
  #options: RunningGroupOptions
  readonly #path: string
  readonly #progress: SyncProgress
  #parts!: Closers
  #listener!: NbdListener
  #qemu!: QemuLink
  readonly #record: KeptRecord
  #link: HubLink | undefined
  #sink: SinkGroup | undefined
  #disks: readonly GuestDisk[] = []
  /** Another number with each stream that begins or is lost. */
  #run = 0
  /** Where the stream goes to. */
  #replica: string | undefined
  #current: Current | undefined
  /** Why there is none, though this QEMU and the hub are there: so it is until another attempt has ended. */
  #failure: { of: Monitors; failure: Failure } | undefined
  #retry: Disposable | undefined
  #delay = first
  #isPaused: boolean
  #isStopped: boolean
  #isClosed = false
  /** What is wanted of it, one thing at a time; and what is done. */
  readonly #wishes = new FifoLock()
  #work: Promise<unknown> = Promise.resolve()

  private constructor(options: RunningGroupOptions, record: KeptRecord) {
    this.name = options.name
    this.counts = new GroupCounts({ hasCycles: options.way === 'cycles' })
    this.#options = options
    this.#record = record
    this.#path = join(options.run, `${options.name}.target`)
    const { running, pausedSince: since, isStopped } = record.now
    this.#isPaused = since !== undefined
    this.#isStopped = isStopped === true
    this.#progress = new SyncProgress(nodeClock, { isFirst: running === undefined, since })
  }

  /** @throws ReplicationError not-allowed */
  checkRight(right: HubRight): void {
    checkRight(this.name, this.#options.hubMay, right)
  }

  change({ hubMay, target }: GroupWishes): void {
    this.#options = { ...this.#options, hubMay, target }
    this.#options.changed()
  }

  /** Begins to look for QEMU. @throws ReplicationError; LinkError where its socket cannot be listened at */
  static async open(options: RunningGroupOptions): Promise<RunningGroup> {
    await using opening = new Closers()
    const { name, folder, qmp, urgent } = options
    const group = new RunningGroup(options, await KeptRecord.open(folder, name, Object.keys(options.disks)))
    const path = group.#path
    const listener = listenNbd({ path }, export_ => group.#current?.protection.exports(export_))
    group.#listener = await listening(`the QEMU of ${name}`, { path }, listener)
    opening.defer(() => group.#listener.close())
    group.#qemu = new QemuLink({ qmp, urgent, changed: () => group.#lookAgain() })
    opening.defer(() => group.#qemu.close())
    group.#parts = opening.move()
    return group
  }

  get status(): AgentGroupStatus {
    const { way, every, deadline, target = every + deadline } = this.#options
    const sink = this.#sink
    const progress = this.#progress
    const uptime = nodeClock.uptime()
    const isLive = way === 'child' && progress.isSettled
    const until = isLive ? (sink?.stream.since ?? uptime) : progress.moment
    const facts = {
      isStopped: this.#isStopped,
      isPaused: this.#isPaused,
      failure: this.#whyFailed(),
      isAttached: sink?.stream.isAttached === true,
      standstill: this.#whyNotAttached(),
      now: nodeClock.now(),
      ...{ uptime, heard: sink?.stream.heard, heartbeat, progress, until, oldest: every + deadline },
    }
    const names = Object.keys(this.#options.disks)
    const problems = new Map(names.map(volume => [volume, this.#current?.protection.problem(volume)]))
    const [inTheWay] = names.filter(volume => problems.get(volume) !== undefined)
    const volumes = names.map(volume => {
      const { number } = this.#record.now.volumes[volume]!
      const unacknowledged = way === 'child' ? sink?.unacknowledged(number) : undefined
      const problem = problems.get(volume)
      return {
        name: volume,
        number,
        size: this.#disks.find(disk => disk.volume === volume)?.size,
        state: runningState(facts, { name: volume, problem, inTheWay, unacknowledged }),
      }
    })
    return {
      name: this.name,
      way,
      epoch: sink?.stream.epoch ?? this.#record.now.epoch,
      queued: sink?.stream.queued ?? 0,
      recoveryPoint: recoveryPoint(target / 1000, until, uptime),
      volumes,
      clients: this.#listener.connections,
      disks: Object.entries(this.#options.disks).map(([disk, { node }]) => ({ name: disk, node })),
    }
  }

  connected(link: HubLink): void {
    this.#link = link
    this.#sink?.connected(link)
  }

  disconnected(): void {
    this.#link = undefined
    this.#progress.interrupted()
    this.#sink?.disconnected()
    this.#options.changed()
  }

  receive(message: Message): void {
    const before = this.#sink?.stream.isAttached
    this.#sink?.receive(message)
    if (this.#sink?.stream.isAttached !== before) this.#options.changed()
    this.#keepEpoch()
    if (message.kind === 'durable' && this.#sink?.isDrained) this.#current?.protection.drained()
  }

  drained(): void {
    this.#sink?.drained()
  }

  pause(): Promise<void> {
    return this.#wishes.hold(async () => {
      if (this.#isPaused) return
      this.#isPaused = true
      this.#noteEnd('paused')
      this.#sink?.stream.pause('paused')
      await this.#lookAgain()
      // not before: who begins paused does not take out of QEMU what a crash has left there
      await this.#record.change({ pausedSince: nodeClock.now() }).catch(async error => {
        await this.#goOn()
        throw error
      })
    })
  }

  resume(): Promise<void> {
    return this.#wishes.hold(async () => {
      if (!this.#isPaused) return
      await this.#record.change({ pausedSince: undefined })
      await this.#goOn()
    })
  }

  stop(): Promise<{ left: readonly string[] }> {
    return this.#wishes.hold(async () => {
      this.#isStopped = true
      this.#endSink('was-unprotected')
      await this.#lookAgain()
      try {
        return await this.#alone(() => this.#takeOut())
      } catch (error) {
        this.#isStopped = this.#record.now.isStopped === true
        await this.#lookAgain()
        throw error
      }
    })
  }

  start(): Promise<void> {
    return this.#wishes.hold(async () => {
      if (!this.#isStopped) return
      await this.#record.change({ isStopped: false })
      this.#isStopped = false
      this.#progress.unsettled('was-unprotected')
      await this.#lookAgain()
    })
  }

  async point(name: string): Promise<TakenPoint> {
    if (!isName(name))
      throw new ReplicationError('bad-name', `a checkpoint cannot be named ${JSON.stringify(name)}: ${nameRule}`)
    if (this.#current !== undefined) return await this.#current.protection.point(name)
    const why = this.#isStopped ? 'the group is not protected' : this.#isPaused ? 'the protection is paused' : undefined
    throw new ReplicationError(
      'wrong-state',
      `no checkpoint can be taken: ${why ?? this.#whyFailed()?.why ?? 'there is no connection to the hub'}`,
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.[Symbol.dispose]()
    await this.#lookAgain()
    this.#endSink('restart')
    await this.#parts[Symbol.asyncDispose]()
    await this.#work
    await this.#record.settled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #goOn(): Promise<void> {
    this.#isPaused = false
    this.#sink?.stream.resume()
    await this.#lookAgain()
  }

  /** What stands against it, but for single disks. */
  #whyFailed(): Failure | undefined {
    const { why, monitors } = this.#qemu
    if (why !== undefined) return { why }
    const { of, failure } = this.#failure ?? {}
    return failure !== undefined && of === monitors ? failure : failureOf(this.#sink?.stream.standstill)
  }

  /** What it waits for, where nothing failed. */
  #whyNotAttached(): string {
    if (this.#qemu.monitors === undefined) return "there is no connection to QEMU's monitor yet"
    if (this.#link === undefined) return 'there is no connection to the hub'
    if (this.#sink === undefined) return 'QEMU has not said yet which disks it has'
    return this.#sink.stream.standstill?.message ?? 'the hub has not answered yet'
  }

  /** What is there is held against what is wanted. */
  #lookAgain(): Promise<void> {
    this.#retry?.[Symbol.dispose]()
    return this.#alone(() => this.#settle())
  }

  async #settle(): Promise<void> {
    const { monitors } = this.#qemu
    const isWanted = monitors !== undefined && !this.#isPaused && !this.#isStopped && !this.#isClosed
    const current = this.#current
    const isOther = current?.monitors !== monitors || current?.replica !== this.#replica
    if (current !== undefined && (!isWanted || isOther)) {
      if (monitors === undefined) this.#noteEnd('qemu-gone')
      this.#current = undefined
      await current.protection.close().catch(() => {})
    }
    if (!isWanted) this.#failure = undefined
    else
      try {
        if (this.#sink === undefined) await this.#openSink(monitors)
        if (this.#current === undefined && this.#replica !== undefined) await this.#protect(monitors, this.#replica)
        this.#failure = undefined
        this.#delay = first
      } catch (error) {
        this.#failure = { of: monitors, failure: failureBy(error as Error) }
        this.#progress.interrupted()
        this.#lookLater()
      }
    this.#options.changed()
  }

  #lookLater(): void {
    if (this.#isClosed) return
    this.#retry = nodeClock.after(this.#delay, () => void this.#lookAgain())
    this.#delay = Math.min(most, this.#delay * 2)
  }

  /** There can be a stream now that the disks' sizes are known. */
  async #openSink(monitors: Monitors): Promise<void> {
    const { disks, memory } = this.#options
    const found = await findGuestDisks(monitors, disks)
    const { running, volumes, epoch } = this.#record.now
    // nothing is known of what another size has brought
    const isSame = found.every(({ volume, size }) => running?.sizes[volume] === size)
    this.#disks = found
    const sink = new SinkGroup({
      name: this.name,
      volumes: found.map(({ volume, size }) => ({ name: volume, number: volumes[volume]!.number, size })),
      ...{ clock: nodeClock, newId: randomUUID, epoch, memory },
      base: isSame ? running?.base : undefined,
      began: beginning => this.#began(sink, beginning),
      rebased: () => this.#rebased(sink),
      lost: (reason, since) => this.#lost(reason, since),
      forwarded: seconds => this.counts.forwarded.observe(seconds),
    })
    this.#sink = sink
    if (this.#link !== undefined) sink.connected(this.#link)
  }

  async #protect(monitors: Monitors, replica: string): Promise<void> {
    const { way, every, deadline, disks } = this.#options
    // a device may have another name, or another node
    this.#disks = (await findGuestDisks(monitors, disks)).map(disk => this.#checked(disk))
    const sink = this.#sink!
    const { running } = this.#record.now
    const held = running?.base.replica === replica ? running.held : undefined
    const open = way === 'cycles' ? CycleProtection.open : LiveProtection.open
    const protection = await open({
      qemu: {
        ...monitors,
        group: this.name,
        replica,
        disks: this.#disks.map(({ volume, device }) => ({ volume, device })),
        address: { path: this.#path },
        held,
        keep: cycle => this.#keep(sink, cycle),
      },
      isTrusted: held !== undefined,
      ...{ sink, every, deadline, progress: this.#progress, clock: nodeClock },
      run: () => this.#run,
      isReady: () => this.#sink === sink && sink.stream.isAttached && sink.stream.isOpen,
      changed: () => this.#options.changed(),
      counts: this.counts,
    })
    this.#current = { protection, monitors, replica }
  }

  /** @throws ReplicationError wrong-state where its size is another one than that of its replica */
  #checked(disk: GuestDisk): GuestDisk {
    const { volume, size } = disk
    const before = this.#disks.find(one => one.volume === volume)
    if (before === undefined || before.size === size) return disk
    const why = `${printable(volume)} has ${size} bytes, and its replica has ${before.size}`
    throw new ReplicationError('wrong-state', `${why}: stop and start the protection of ${this.name}`)
  }

  #began(sink: SinkGroup, { replica }: Beginning): void {
    this.#run++
    const isTrusted = sink.base !== undefined
    const progress = this.#progress
    if (!isTrusted) {
      progress.unsettled(progress.isFirst ? 'new-volume' : 'other-replica')
      void this.#record.save({ running: undefined }).catch(() => {})
    }
    this.#replica = replica
    if (this.#current?.replica === replica) this.#current.protection.begun(isTrusted)
    void this.#lookAgain()
  }

  #lost(reason: ResyncReason, since: number | undefined): void {
    this.#run++
    this.#progress.unsettled(reason, this.#options.way === 'child' ? (since ?? nodeClock.uptime()) : undefined)
    this.#current?.protection.lost(resyncText(reason))
    this.#options.changed()
  }

  /** No earlier base than this holds any more; the cycle is the same. */
  #rebased({ base }: SinkGroup): void {
    const { running } = this.#record.now
    if (running !== undefined && base !== undefined)
      void this.#record.save({ running: { ...running, base } }).catch(() => {})
  }

  /** The hub has a cycle: known when it settles. @throws the system's error */
  async #keep({ base }: SinkGroup, held: number): Promise<void> {
    const sizes = Object.fromEntries(this.#disks.map(({ volume, size }) => [volume, size]))
    // gone again, with what the hub had: then nothing is known
    await this.#record.save({ running: base && { held, base, sizes } })
  }

  #keepEpoch(): void {
    const known = this.#record.now.epoch
    const epoch = this.#sink?.stream.epoch ?? known
    // a hub that forgets nothing tells it anew: nothing waits for this
    if (epoch !== known) void this.#record.save({ epoch }).catch(() => {})
  }

  /** Nothing comes to the hub any more. */
  #noteEnd(reason: ResyncReason): void {
    const isLive = this.#options.way === 'child'
    this.#progress.unsettled(reason, isLive ? (this.#sink?.stream.since ?? nodeClock.uptime()) : undefined)
  }

  #endSink(reason: ResyncReason): void {
    const sink = this.#sink
    this.#noteEnd(reason)
    this.#sink = undefined
    this.#replica = undefined
    sink?.stream.pause(reason)
    sink?.disconnected()
  }

  /** Of QEMU; what was known of the hub is of no use then. */
  async #takeOut(): Promise<{ left: readonly string[] }> {
    await this.#record.change({ running: undefined, isStopped: true })
    const { monitors } = this.#qemu
    if (monitors === undefined)
      return { left: ['QEMU is not there: bitmaps of this group may stay in its images; stop it again when it is'] }
    const disks = Object.keys(this.#options.disks).map(volume => ({ volume }))
    return { left: await takeOut({ ...monitors, group: this.name, disks }) }
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {})
    return done
  }
}

const failureBy = (error: Error): Failure =>
  error instanceof ReplicationError ? { why: error.message, code: error.code } : { why: error.message }
