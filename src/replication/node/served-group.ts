import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { FifoLock } from '../../link/fifo-lock.js'
import { listening } from '../../link/node/listening.js'
import { formatNbdUrl } from '../../nbd/nbd-url.js'
import { listenNbd, type NbdListener } from '../../nbd/node/listen-nbd.js'
import type { HubLink } from '../agent/hub-link.js'
import { ProtectedGroup, type VolumeOptions } from '../agent/protected-group.js'
import type { ProtectedVolume } from '../agent/protected-volume.js'
import type { TakenPoint } from '../agent/taken-point.js'
import type { VolumeFiles } from '../agent/volume-files.js'
import type { Base } from '../agent/volume-record.js'
import type { Failure } from '../agent/volume-state.js'
import type { HubRight } from '../config/hub-rights.js'
import type { Folder, OpenFile } from '../folder.js'
import { inlineExportName, inlineSocket } from '../inline-export.js'
import { ReplicationError } from '../replication-error.js'
import type { Message } from '../wire/message.js'
import type { AgentGroup, AgentGroupStatus, GroupWishes, GuestsMay } from './agent-group.js'
import { Closers } from './closers.js'
import { GroupCounts } from './group-counts.js'
import { GuestAccess } from './guest-access.js'
import { checkRight } from './hub-right.js'
import { KeptRecord } from './kept-record.js'
import { nodeClock } from './node-clock.js'
import { type OpenImage, openImage } from './open-image.js'

/** How long a hub that takes the group again may take to say that its disks are whole, in milliseconds. */
const adoptWithin = 3000

export interface ServedGroupOptions {
  name: string
  /** By name. */
  disks: Readonly<Record<string, { image: string; format: 'raw' | 'qcow2'; socket?: string | undefined }>>
  /** What the agent must not forget of the group. */
  folder: Folder
  /** The folder of its sockets. */
  run: string
  /** The host's boot. */
  boot: string
  /** What waits for the hub, in bytes. */
  buffer: { memory: number; file: number }
  /** The recovery point that is wanted, in milliseconds. */
  target: number
  /** What the hub may do with it. */
  hubMay: readonly HubRight[]
  changed(): void
}

/** While the hub writes the disks, the group is still one that was taken over. */
const returning: Failure = { why: 'the hub fails the group back to here', code: 'fenced' }

/** A disk as QEMU reaches it. */
export interface ServedDiskPlace {
  name: string
  /** What `target=` of its disk spec says. */
  url: string
}

/** A group that is protected inline: its disks are served to QEMU over NBD. */
export class ServedGroup implements AgentGroup {
  readonly name: string
  readonly counts: GroupCounts
  readonly #group: ProtectedGroup
  readonly disks: readonly ServedDiskPlace[]
  readonly #parts: Closers
  readonly #listeners: readonly NbdListener[]
  /** Images that are lost, by their disks' names. */
  readonly #lost = new Map<string, Failure>()
  #options: ServedGroupOptions
  readonly #record: KeptRecord
  readonly #access: GuestAccess
  /** What is wanted of it, one thing at a time. */
  readonly #wishes = new FifoLock()
  #waiting: Disposable | undefined

  private constructor(
    options: ServedGroupOptions,
    group: ProtectedGroup,
    record: KeptRecord,
    places: { disks: readonly ServedDiskPlace[]; listeners: readonly NbdListener[] },
    parts: Closers,
    counts: GroupCounts,
  ) {
    this.name = options.name
    this.counts = counts
    this.#options = options
    this.#record = record
    this.#access = new GuestAccess(record, { run: options.run, group: options.name, boot: options.boot })
    this.#group = group
    this.disks = places.disks
    this.#listeners = places.listeners
    this.#parts = parts
  }

  /** @throws ReplicationError; LinkError where a disk's socket cannot be listened at */
  static async open(options: ServedGroupOptions): Promise<ServedGroup> {
    const { name, folder, run, buffer, target } = options
    await using opening = new Closers()
    const names = Object.keys(options.disks)
    const record = await KeptRecord.open(folder, name, names)
    await forget(folder, record.unknown)
    const { epoch, pausedSince, isStopped } = record.now
    const images = new Map<string, OpenImage>()
    const volumes: VolumeOptions[] = []
    for (const [disk, { image, format }] of Object.entries(options.disks)) {
      const open = await openImage({ image, format, sockets: join(run, `${name}.${disk}.image`) })
      opening.defer(() => open.close())
      images.set(disk, open)
      const { backend, identity, written } = open
      volumes.push({
        name: disk,
        ...record.now.volumes[disk]!,
        image: backend,
        ...{ identity, written },
        files: filesOf(folder, disk, open),
      })
    }
    const spill = openAnew(folder, 'spill')
    opening.defer(() => spill.close())
    const boot = [options.boot, ...[...images.values()].map(({ instance }) => instance)].join(' ')
    let served: ServedGroup | undefined
    const changed = () => {
      served?.keepSaid()
      served?.keepFence()
      options.changed()
    }
    const counts = new GroupCounts({ hasCycles: false })
    const group = await ProtectedGroup.open({
      ...{ name, volumes, clock: nodeClock, boot, newId: randomUUID, epoch, target: target / 1000 },
      ...{ isProtecting: isStopped !== true, pausedSince },
      ...{ memory: buffer.memory, spill: { file: spill, size: buffer.file }, changed },
      forwarded: seconds => counts.forwarded.observe(seconds),
    })
    opening.defer(() => group.close())
    const disks: ServedDiskPlace[] = []
    const listeners: NbdListener[] = []
    for (const volume of group.volumes) {
      const path = options.disks[volume.name]!.socket ?? inlineSocket(run, name, volume.name)
      const exportName = inlineExportName(name, volume.name)
      const listener = await listening(
        `the guest's disk ${exportName}`,
        { path },
        listenNbd(
          { path },
          asked =>
            asked === exportName && served?.isServing === true ? { name: exportName, backend: volume } : undefined,
          { names: () => [exportName] },
        ),
      )
      opening.defer(() => listener.close())
      listeners.push(listener)
      disks.push({ name: volume.name, url: formatNbdUrl({ tls: false, address: { path }, exportName }) })
    }
    const whole = new ServedGroup(options, group, record, { disks, listeners }, opening.move(), counts)
    served = whole
    for (const [disk, { lost }] of images)
      void lost.then(why => {
        whole.#lost.set(disk, { why: why?.message ?? 'its storage daemon has ended', code: 'file-failed' })
        options.changed()
      })
    return whole
  }

  /** How many clients its disks have. */
  get clients(): number {
    return this.#listeners.reduce((sum, { connections }) => sum + connections, 0)
  }

  /** Whether guests may have its disks: not those of a group that another side has taken over, or that a cluster holds. */
  get isServing(): boolean {
    if (this.isReturning || this.#access.isHeld) return false
    return this.#access.isForced || !this.#isFenced
  }

  /** No guest may have its disks, by a cluster's word. */
  get isHeld(): boolean {
    return this.#access.isHeld
  }

  get #isFenced(): boolean {
    return this.#group.stream.standstill?.code === 'fenced'
  }

  get #guestsMay(): GuestsMay {
    if (this.#lost.size > 0) return 'gone'
    if (this.isServing) return this.#access.isForced ? 'forced' : 'open'
    return this.clients > 0 ? 'open' : 'held'
  }

  /** The hub is writing its disks. */
  get isReturning(): boolean {
    return this.#record.now.isReturning === true
  }

  get volumes(): readonly ProtectedVolume[] {
    return this.#group.volumes
  }

  /** @throws ReplicationError not-allowed */
  checkRight(right: HubRight): void {
    checkRight(this.name, this.#options.hubMay, right)
  }

  change({ hubMay, target = this.#options.target }: GroupWishes): void {
    this.#options = { ...this.#options, hubMay, target }
    this.#group.retarget(target / 1000)
    this.#options.changed()
  }

  /** A hub that forgets nothing tells it anew: nothing waits until it is kept. */
  keepSaid(): void {
    const { epoch, isAttached } = this.#group.stream
    // who takes the group from here has written all of it, though nobody could say so
    const isReturning = this.isReturning && !isAttached
    if (epoch === this.#record.now.epoch && isReturning === this.isReturning) return
    void this.#record.save({ epoch, isReturning }).catch(() => {})
  }

  /** Of a group that a cluster manages, a guest that has the disks loses them when another side has taken it over. */
  keepFence(): void {
    if (this.#group.stream.isAttached) this.#access.endForce()
    const { isManaged, isHeld, isForced } = this.#access
    if (this.#isFenced && isManaged && !isHeld && !isForced) void this.hold().catch(() => {})
  }

  /**
   * No guest gets its disks until `open`, though the agent ends and begins; one that has them loses them. Settles when nothing of theirs has
   * an effect any more.
   *
   * @throws ReplicationError file-failed
   */
  hold(): Promise<void> {
    return this.#wishes.hold(async () => {
      await this.#access.hold()
      const exports = this.disks.map(({ name }) => inlineExportName(this.name, name))
      for (const listener of this.#listeners) for (const one of exports) await listener.drop(one)
      this.#options.changed()
    })
  }

  /**
   * Guests get its disks until `hold`, or the host's next boot.
   *
   * @param promotion the number of the cluster's promotion
   * @param force also where another side has taken the group over
   * @throws ReplicationError wrong-state where the disks are half a copy, or lost; fenced; file-failed
   */
  open(promotion: number, force = false): Promise<void> {
    return this.#wishes.hold(async () => {
      if (this.isReturning)
        throw new ReplicationError(
          'wrong-state',
          `the disks of ${this.name} are half a copy: the hub is failing them back`,
        )
      const [[disk, lost] = []] = this.#lost
      if (lost !== undefined) throw new ReplicationError('wrong-state', `the disk ${disk} is lost: ${lost.why}`)
      if (this.#isFenced && !force) throw new ReplicationError('fenced', this.#group.stream.standstill!.message)
      await this.#access.open(promotion, force)
      this.#options.changed()
    })
  }

  /** No cluster says any more who may have its disks: guests may. @throws ReplicationError file-failed */
  release(): Promise<void> {
    return this.#wishes.hold(async () => {
      await this.#access.release()
      this.#options.changed()
    })
  }

  /**
   * From now on the hub writes the disks; no guest may have them until `endReturn`.
   *
   * @throws ReplicationError not-allowed; in-use where a guest has them; wrong-state where the group is replicated from here, or is not to be protected
   */
  async beginReturn(): Promise<void> {
    this.checkRight('fail-back')
    const { pausedSince, isStopped } = this.#record.now
    if (isStopped === true || pausedSince !== undefined) {
      const [is, first] = isStopped === true ? ['not protected', 'start'] : ['paused', 'resume']
      throw new ReplicationError('wrong-state', `${this.name} is ${is} on its agent's host: ${first} it first`)
    }
    if (this.isReturning) return
    if (this.#group.stream.isOpen)
      throw new ReplicationError('wrong-state', `${this.name} is replicated from here: there is nothing to fail back`)
    if (this.clients > 0)
      throw new ReplicationError('in-use', `a guest has the disks of ${this.name} here: end it first`)
    await this.#record.save({ isReturning: true })
    this.#options.changed()
  }

  /** As `ProtectedGroup.differing`. @throws ReplicationError wrong-state, not-found */
  differing(volume: number, from: number, most: number): readonly { offset: number; length: number }[] {
    return this.#group.differing(volume, from, most)
  }

  /** The disks are what the hub has of them. @throws ReplicationError wrong-state; a file's error */
  async endReturn(base: Base, epoch: number): Promise<void> {
    this.checkRight('fail-back')
    if (!this.isReturning) throw new ReplicationError('wrong-state', `${this.name} is not being failed back`)
    await this.#group.adopt(base, epoch)
    await this.#record.save({ isReturning: false, epoch })
    this.#options.changed()
  }

  get status(): AgentGroupStatus {
    const { volumes, ...status } = this.#group.status
    return {
      ...status,
      way: 'inline',
      clients: this.clients,
      disks: this.disks,
      guests: this.#guestsMay,
      isManaged: this.#access.isManaged,
      promotion: this.#record.now.promotion,
      volumes: volumes.map(volume => {
        const failure = this.isReturning ? returning : this.#lost.get(volume.name)
        return failure === undefined ? volume : { ...volume, state: { state: 'failed' as const, ...failure } }
      }),
    }
  }

  connected(link: HubLink): void {
    this.#group.connected(link)
  }

  disconnected(): void {
    this.#group.disconnected()
  }

  receive(message: Message): void {
    // what the hub has written is about to be known: to attach before would compare all of it
    if (message.kind === 'ready' && this.isReturning) this.#waitForAdopt(message)
    else this.#group.receive(message)
  }

  /** Where it is not known in time, all is compared. */
  #waitForAdopt(ready: Message): void {
    this.#waiting ??= nodeClock.after(adoptWithin, () => {
      this.#waiting = undefined
      this.#group.receive(ready)
    })
  }

  drained(): void {
    this.#group.drained()
  }

  // what is wanted is durable first: who begins anew after a crash in between begins so

  pause(): Promise<void> {
    return this.#wishes.hold(async () => {
      if (this.#record.now.pausedSince !== undefined) return
      await this.#record.change({ pausedSince: nodeClock.now() })
      this.#group.pause()
    })
  }

  resume(): Promise<void> {
    return this.#wishes.hold(async () => {
      await this.#record.change({ pausedSince: undefined })
      this.#group.resume()
    })
  }

  stop(): Promise<{ left: readonly string[] }> {
    return this.#wishes.hold(async () => {
      await this.#record.change({ isStopped: true })
      try {
        await this.#group.stop()
      } catch (error) {
        await this.#record.change({ isStopped: false })
        throw error
      }
      return { left: [] }
    })
  }

  start(): Promise<void> {
    return this.#wishes.hold(async () => {
      await this.#record.change({ isStopped: false })
      await this.#group.start()
    })
  }

  point(name: string): Promise<TakenPoint> {
    return this.#group.point(name)
  }

  async close(): Promise<void> {
    this.#waiting?.[Symbol.dispose]()
    await this.#parts[Symbol.asyncDispose]()
    await this.#record.settled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const metaOf = (disk: string): string => `${disk}.meta`

/** What was noted of disks that were left out is not true any more: somebody else may have written to them. */
async function forget(folder: Folder, disks: readonly string[]): Promise<void> {
  const files = new Set(folder.list())
  const noted = disks.map(metaOf).filter(name => files.has(name))
  for (const name of noted) folder.remove(name)
  if (noted.length > 0) await folder.sync()
}

function filesOf(folder: Folder, disk: string, image: OpenImage): VolumeFiles {
  const name = metaOf(disk)
  return {
    meta: folder.open(name, folder.list().includes(name) ? 'write' : 'create'),
    syncImage: async () => image.backend.flush(),
    discardMeta: () => folder.remove(name),
  }
}

/** An empty file, whatever was there. */
function openAnew(folder: Folder, name: string): OpenFile {
  if (folder.list().includes(name)) folder.remove(name)
  return folder.open(name, 'create')
}
