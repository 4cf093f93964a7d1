import { beforeDeadline } from '../../link/before-deadline.js'
import { onAbort } from '../../link/on-abort.js'
import type { NbdExport } from '../../nbd/nbd-export.js'
import { printable } from '../../printable.js'
import { blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { transaction } from '../../qmp/commands/transaction.js'
import { blockdevChange } from '../../qmp/commands/x-blockdev-change.js'
import { ReplicaHealth, reportWhy } from '../../qmp/replica-health.js'
import { ReplicationError } from '../replication-error.js'
import { BackfillFilter } from './backfill-filter.js'
import { runBackups } from './backups.js'
import { checkSize } from './check-size.js'
import { commandTimeout } from './command-timeout.js'
import { beginBitmaps, removeBegun, removeOlder, removeStale, type SentDisk } from './cycle-bitmaps.js'
import { CycleLinks } from './cycle-links.js'
import type { WholeVolume } from './cycle-target.js'
import { GroupLock } from './group-lock.js'
import { clearOwnNodes, dropOwnNodes, removeBitmaps } from './leftovers.js'
import { type LiveDisk, lookAtLiveDisks } from './live-disks.js'
import { checkLiveOptions, type LiveOptions } from './live-options.js'
import type { LiveOutcome, LiveState } from './live-outcome.js'
import { backfillSink, liveSink } from './live-sinks.js'
import { cutOff, passesAll } from './monitors.js'
import { backupJob, bitmapName } from './names.js'
import { canPersist } from './persistence.js'
import { planDisk } from './plan-cycle.js'
import { takeOut } from './take-out.js'
import { usualTimer } from './timer.js'

const limits = { timeout: commandTimeout }

type Step = (LiveOutcome & { kind: 'failed' })['step']

interface LiveSent extends SentDisk {
  quorum: string
}

/** One time that the children are attached. */
interface Attachment {
  failed: AbortController
  /** The target was told that it is lost; the links are being cut. */
  isFailing: boolean
  disks: readonly LiveSent[]
}

/**
 * Sends a guest's writes to a target as they happen: a child of each of its quorums. What differed before is caught up with beside them, by
 * a copy of the guest's images that leaves out what came live. Bitmaps are on the images; which is used when is as in `planDisk`, but that
 * a cycle is no copy here: it is the moment from which on its bitmap marks what is written, and the hub has it when it has all that was
 * written before. So the oldest bitmap has what the hub may not have, whenever the children are lost.
 */
export class LiveChild implements AsyncDisposable {
  readonly #options: LiveOptions
  readonly #live: CycleLinks
  readonly #backfill: CycleLinks
  readonly #health: ReplicaHealth
  readonly #persistent = new Map<string, boolean>()
  readonly #over = new AbortController()
  readonly #lock: GroupLock
  #attachment: Attachment | undefined
  #state: LiveState = 'apart'
  #held: number | undefined
  #distrust: object | undefined
  #last: number

  private constructor(options: LiveOptions) {
    this.#options = options
    this.#held = options.held
    this.#last = options.held ?? 0
    const { group, address, stallLimit, timer = usualTimer, qmp } = options
    const links = { group, path: address.path, stallLimit, timer }
    this.#live = new CycleLinks({ ...links, kind: 'live' })
    this.#backfill = new CycleLinks({ ...links, kind: 'backup' })
    for (const part of [this.#live, this.#backfill])
      part.onStall = () => this.#fail(new Error(`the target did not answer within ${stallLimit} ms, and was cut off`))
    this.#health = new ReplicaHealth(qmp)
    this.#lock = new GroupLock(group)
    this.#health.onBad = bad => {
      // those of earlier attachments may be told late
      if (this.#linkNames().includes(bad.nodeName)) this.#fail(new Error(`the target: ${reportWhy(bad)}`))
    }
  }

  /**
   * Looks at the disks, and takes away what an agent that died has left. Nothing is sent before `catchUp`.
   *
   * @throws ReplicationError not-found, wrong-state, qemu, bad-name; TypeError, RangeError for wrong options
   */
  static async open(options: LiveOptions): Promise<LiveChild> {
    checkLiveOptions(options)
    const child = new LiveChild(options)
    try {
      await child.#lock.hold(async () => {
        await clearOwnNodes(options)
        for (const disk of await lookAtLiveDisks(options)) child.#checkSize(disk)
      })
      // without it nobody can be cut off
      void options.qmp.closed.then(error => child.#fail(error ?? new Error('the connection to QEMU was closed')))
    } catch (error) {
      await child.close()
      throw error
    }
    return child
  }

  /** What an NBD server at the address serves: it has to listen before `catchUp`, and takes two connections for each disk. */
  readonly exports = (name: string): NbdExport | undefined => this.#live.exports(name) ?? this.#backfill.exports(name)

  get state(): LiveState {
    return this.#state
  }

  /** The cycle before which all that was written is at the hub. */
  get held(): number | undefined {
    return this.#held
  }

  /** Whether a silent target is cut off whatever QEMU's monitor is busy with: without out-of-band commands it is not. */
  get hasSureDeadline(): boolean {
    return passesAll(this.#options)
  }

  /** The hub does not hold what the bitmaps are the difference to: the next catch-up sends all. */
  distrust(): void {
    this.#distrust = {}
    this.#held = undefined
  }

  /** The target takes nothing more, or has lost something: the guest goes on without the children. */
  lose(why: string): void {
    this.#fail(new Error(why))
  }

  /** Attaches the children, and sends what differs. What fails is an outcome; the guest goes on without them then. */
  catchUp(reason = 'a catch-up'): Promise<LiveOutcome> {
    return this.#lock.hold(async () => {
      if (this.#state !== 'apart') return failedAt('look', new Error(`the children are attached: ${this.#state}`))
      return this.#catchUp(reason)
    })
  }

  /** Begins new bitmaps, and removes the old ones when all that was written before is at the hub: a loss costs less then. */
  rotate(): Promise<LiveOutcome> {
    return this.#lock.hold(() => this.#rotate())
  }

  /** Takes away all that is ours in QEMU, the bitmaps too. @returns what is left all the same, in sentences */
  async detach(): Promise<string[]> {
    const why = new Error('the protection was taken away')
    this.#end(why)
    const left = await this.#lock.hold(async () => {
      await this.#part(why)
      return takeOut(this.#options)
    })
    await this.close()
    return left
  }

  /** Ends it here; the children are taken away, the bitmaps stay for the one who comes after. */
  async close(): Promise<void> {
    const why = new Error('the agent has ended')
    this.#end(why)
    await this.#lock.hold(() => this.#part(why))
    this.#health[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #end(why: Error): void {
    this.#over.abort(why)
    this.#fail(why)
  }

  async #catchUp(reason: string): Promise<LiveOutcome> {
    const { options, live, backfill } = { options: this.#options, live: this.#live, backfill: this.#backfill }
    const { qmp, target, group } = options
    let step: Step = 'look'
    let disks: readonly LiveSent[] = []
    const distrust = this.#distrust
    const attachment: Attachment = { failed: new AbortController(), isFailing: false, disks }
    const { signal } = attachment.failed
    try {
      this.#over.signal.throwIfAborted()
      disks = await this.#plan()
      attachment.disks = disks
      this.#last = Math.max(this.#last, ...disks.map(({ largest }) => largest)) + 1
      const whole = disks.flatMap(({ volume, whole }): WholeVolume[] =>
        whole === undefined ? [] : [{ volume, reason: whole }],
      )
      step = 'bitmaps'
      await removeStale(options, disks)
      // before the children, so that they miss nothing that is not marked
      await qmp.run(transaction, { actions: beginBitmaps(options, this.#last, disks) }, limits)
      this.#attachment = attachment
      this.#over.signal.throwIfAborted()
      this.#enter('catching up')
      const due = disks.map(({ volume, base }) => ({ volume, bytes: base?.count ?? target.backfill(volume).size }))
      target.unsettled(reason, { cycle: this.#last, whole, due })
      step = 'live'
      const filters = new Map(disks.map(({ volume }) => [volume, new BackfillFilter(target.live(volume).size)]))
      for (const { volume } of disks)
        await live.open(options, volume, liveSink(target.live(volume), filters.get(volume)!))
      live.begin()
      for (const { volume, quorum } of disks)
        await qmp.run(blockdevChange, { parent: quorum, node: live.of(volume)!.target }, limits)
      step = 'backfill'
      for (const { volume } of disks)
        await backfill.open(options, volume, backfillSink(target.backfill(volume), filters.get(volume)!))
      backfill.begin()
      const backups = disks.map(({ volume, node, base }) => ({
        job: backupJob(group, volume),
        node,
        target: backfill.of(volume)!.target,
        bitmap: base?.name,
      }))
      await runBackups(qmp, { actions: [], backups, signal })
      const bytes = backfill.end()
      await this.#prove(attachment)
      step = 'hub'
      await beforeDeadline(target.settled(), { signal }, () => signal.reason)
      await options.keep?.(this.#last)
      const left = await this.#dropBackfill(disks)
      left.push(...(await removeOlder(options, disks)))
      if (this.#distrust === distrust) {
        this.#held = this.#last
        this.#distrust = undefined
      }
      signal.throwIfAborted()
      this.#enter('live')
      void this.#untilLost(attachment)
      return { kind: 'live', held: this.#last, bytes, whole, left }
    } catch (error) {
      const left = await this.#part(error as Error)
      if (step !== 'look' && this.#held !== this.#last) left.push(...(await removeBegun(options, this.#last, disks)))
      return failedAt(step, error, left)
    }
  }

  async #rotate(): Promise<LiveOutcome> {
    const attachment = this.#attachment
    if (this.#state !== 'live' || attachment === undefined) return failedAt('look', new Error(`it is ${this.#state}`))
    const { qmp, target } = this.#options
    const { signal } = attachment.failed
    let step: Step = 'bitmaps'
    const cycle = ++this.#last
    const before = attachment.disks.map(({ node }) => ({ node, name: bitmapName(this.#options, this.#held!) }))
    const disks = attachment.disks.map(disk => ({ ...disk, whole: undefined }))
    try {
      await this.#prove(attachment)
      await qmp.run(transaction, { actions: beginBitmaps(this.#options, cycle, disks) }, limits)
      // a second drain: what was written to an image before the bitmap was begun has come to the child, or failed there
      await qmp.run(transaction, { actions: [] }, limits)
      await this.#prove(attachment)
      step = 'hub'
      await beforeDeadline(target.durable(), { signal }, () => signal.reason)
      await this.#options.keep?.(cycle)
      this.#held = cycle
      await removeBitmaps(this.#options, before)
      return { kind: 'live', held: cycle, bytes: 0, whole: [], left: [] }
    } catch (error) {
      if (this.#held === cycle) {
        const left = [`bitmaps that are not needed any more: ${(error as Error).message}`]
        return { kind: 'live', held: cycle, bytes: 0, whole: [], left }
      }
      // who rebuilt a disk may have taken the child away, or the bitmap with the image
      if (error instanceof ReplicationError) this.#fail(error)
      return failedAt(step, error, await removeBegun(this.#options, cycle, disks))
    }
  }

  async #plan(): Promise<LiveSent[]> {
    const knowledge = { held: this.#held, isDistrusted: this.#distrust !== undefined }
    const sent: LiveSent[] = []
    for (const disk of await lookAtLiveDisks(this.#options)) {
      this.#checkSize(disk)
      const { volume, quorum, image } = disk
      const node = image.nodeName
      const persistent = this.#persistent.get(node) ?? (await canPersist(this.#options.qmp, node))
      this.#persistent.set(node, persistent)
      sent.push({ volume, quorum, node, persistent, ...planDisk(image.bitmaps, this.#options, knowledge) })
    }
    return sent
  }

  #checkSize({ volume, size }: LiveDisk): void {
    checkSize(volume, size, this.#options.target.live(volume).size)
  }

  /**
   * Holds what QEMU has against what was built: a snapshot of an image may have been taken, a child removed. What a child failed in is told
   * before that is answered.
   *
   * @throws why they are lost
   */
  async #prove({ disks, failed: { signal } }: Attachment): Promise<void> {
    const seen = await lookAtLiveDisks(this.#options)
    signal.throwIfAborted()
    if (this.#health.lost) throw this.#health.lost
    for (const [index, { volume, quorum, node }] of disks.entries()) {
      const { image, children, ...its } = seen[index]!
      const isSame =
        its.quorum === quorum && image.nodeName === node && children.includes(this.#live.of(volume)?.target ?? '')
      if (!isSame) throw new ReplicationError('wrong-state', `${printable(volume)} was rebuilt by somebody else`)
      this.#checkSize(seen[index]!)
    }
  }

  /** The guest comes first: it waits for the children until they are cut off. */
  #fail(why: Error): void {
    const attachment = this.#attachment
    if (attachment === undefined || attachment.failed.signal.aborted) return
    if (attachment.isFailing) return
    attachment.isFailing = true
    // at once for all of them: what one disk lacks, no later write to another one may follow
    this.#live.end()
    this.#backfill.end()
    this.#options.target.lost(why.message)
    this.#options.onEvent?.({ type: 'cut', why: why.message })
    cutOff(this.#options, this.#linkNames())
      .catch(() => {})
      .then(() => attachment.failed.abort(why))
  }

  #linkNames(): string[] {
    return this.#options.disks.flatMap(({ volume }) =>
      [this.#live, this.#backfill].flatMap(links => links.of(volume)?.link ?? []),
    )
  }

  /** Takes the children away when they are lost. */
  async #untilLost({ failed: { signal } }: Attachment): Promise<void> {
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      else onAbort(signal, resolve)
    })
    // close and detach do it themselves
    if (!this.#over.signal.aborted) await this.#lock.hold(() => this.#part(signal.reason)).catch(() => {})
  }

  /** The guest goes on without the children. */
  async #part(why: Error): Promise<string[]> {
    const left = await this.#dropNodes()
    const attachment = this.#attachment
    if (attachment === undefined) return left
    this.#attachment = undefined
    if (!attachment.isFailing) this.#options.target.lost(why.message)
    this.#enter('apart', why.message)
    return left
  }

  async #dropBackfill(disks: readonly LiveSent[]): Promise<string[]> {
    const left: string[] = []
    for (const { volume } of disks) {
      const { target } = this.#backfill.of(volume)!
      const remove = this.#options.qmp.run(blockdevDel, { 'node-name': target }, limits)
      await remove.catch(error => left.push(`the node ${target}: ${error.message}`))
    }
    this.#backfill.shut()
    return left
  }

  #dropNodes(): Promise<string[]> {
    this.#live.shut()
    this.#backfill.shut()
    return dropOwnNodes(this.#options)
  }

  #enter(state: LiveState, why?: string): void {
    this.#state = state
    this.#options.onEvent?.({ type: 'state', state, why })
  }
}

const failedAt = (step: Step, error: unknown, left: readonly string[] = []): LiveOutcome => ({
  kind: 'failed',
  step,
  why: (error as Error).message,
  left,
})
