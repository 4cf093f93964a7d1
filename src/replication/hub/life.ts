import { FifoLock } from '../../link/fifo-lock.js'
import { ReplicationError } from '../replication-error.js'
import type { Branches } from './branches.js'
import { takenOverBy } from './check-epoch.js'
import { type CopyBackOptions, copyChanged, copyRest, copyWritten, type Progress } from './copy-back.js'
import type { WholeLimits } from './group-limits.js'
import type { BranchRecord, GroupRecord, Life, LifeState, TakeOver } from './group-record.js'
import type { Busy } from './group-status.js'
import type { GroupStream } from './group-stream.js'
import type { HubHost } from './hub-host.js'
import type { Journal, Point } from './journal-seam.js'
import { checkName } from './names.js'
import type { PrimarySide } from './primary-side.js'
import type { RecordFile } from './record-file.js'
import { type At, resolvePoint } from './resolve-point.js'
import type { TakeOverCounts } from './take-over-counts.js'
import { writeBack } from './write-back.js'

export interface GroupLifeOptions {
  file: RecordFile
  journal: Journal
  stream: GroupStream
  branches: Branches
  host: HubHost
  limits: () => WholeLimits
}

/** A branch that is wanted. */
export interface WantedBranch {
  name: string
  at: At
  /** Who asks for it. */
  by: string
}

export interface FailBackOptions {
  /** Who asks for it. */
  by: string
  progress?: Progress | undefined
  /** Calls it off, unless the branch is being written into the history already: the group stays failed over. */
  signal?: AbortSignal | undefined
  /** Whether it waits until the recovery VM has gone: its NBD clients. Without it, that one's disks take nothing more as soon as all is copied. */
  awaitsGuest?: boolean | undefined
  /**
   * All but what is written at this moment is on the primary side: ends the recovery VM. Its disks take nothing more after it, whether it
   * has ended or not.
   */
  caughtUp?: (() => Promise<void>) | undefined
}

/** What the agent's bitmap may rest on after a fail-back: its disks are equal to a replica that holds so much of that stream. */
export interface Returned {
  epoch: number
  replica: string
  stream: string
  sequence: number
}

/** A fail-back that is under way. */
interface UnderWay {
  agent: string
  awaitsGuest: boolean
  /** Of the recovery VM, while it is waited for. */
  waits?: (() => NonNullable<Busy['waits']>) | undefined
  done?: Promise<Returned>
}

/**
 * The life of a group: tests, fail-overs, and the ways back. Each step is in the group's record, durably, before it is done: after a crash
 * it is known, and done again.
 */
export class GroupLife {
  readonly takeOvers: TakeOverCounts = { 'fail-over': 0, 'roll-back': 0, commit: 0, 'fail-back': 0 }
  readonly #options: GroupLifeOptions
  readonly #lock = new FifoLock()
  /** What takes long, and keeps all else from changing the life. */
  #busy: string | undefined
  #progress: { done: number; all: number } | undefined
  #underWay: UnderWay | undefined

  constructor(options: GroupLifeOptions) {
    this.#options = options
  }

  get #record(): Readonly<GroupRecord> {
    return this.#options.file.record
  }

  /** What goes on that takes long, and how far it has come, in bytes. */
  get busy(): Busy | undefined {
    if (this.#busy === undefined) return undefined
    const { done, all } = this.#progress ?? { done: 0, all: 0 }
    const waits = this.#underWay?.waits?.()
    return { what: this.#busy, done, all, ...(waits !== undefined && { waits }) }
  }

  /** Something is begun that goes on when it is asked for again, or when the hub is started. */
  get isUnfinished(): boolean {
    const { life, branches } = this.#record
    const isLife = life.state === 'failing-over' || life.state === 'rolling-back'
    return isLife || branches.some(({ state }) => state !== 'ready')
  }

  /** Goes on after a crash, with what is done quickly. Nothing may be folded before. @throws ReplicationError: it stays as it is */
  async restore(): Promise<void> {
    const { branches } = this.#options
    const { life } = this.#record
    await branches.restore(name => life.state === 'failing-over' && name === life.branch)
    if (life.state === 'failing-over') await this.#makeFailOver()
    else if (life.state === 'rolling-back') await this.#endRollBack()
  }

  /** Runs something that no change of the life may come between. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#lock.hold(work)
  }

  /** Whether the primary side has the truth, and nobody is giving it back. @throws ReplicationError wrong-state, in-use */
  checkPrimary(): void {
    this.#checkIdle()
    this.#checkState(['protected'], "written to on its agent's host")
  }

  /** Makes a branch that leaves the protection as it is. @throws ReplicationError no-such-point, in-use, full, file-failed */
  test({ name, at, by }: WantedBranch): Promise<BranchRecord> {
    return this.#change(async () => {
      const point = resolvePoint(this.#options.journal, this.#record.name, at)
      this.#checkNew(name)
      try {
        await this.#make(name, 'test', point, by)
      } catch (error) {
        await this.#options.branches.drop(name).catch(() => {})
        throw error
      }
      return this.#branch(name)
    })
  }

  /**
   * Fences the primary side, and makes a branch that takes its place. To ask for it again after a crash goes on with it.
   *
   * @throws ReplicationError no-such-point, wrong-state where it is failed over already; full, file-failed: it may be fenced then
   */
  failOver({ name, at, by }: WantedBranch): Promise<BranchRecord> {
    return this.#change(async () => {
      const { life, epoch, name: group } = this.#record
      const { journal, host } = this.#options
      if (life.state !== 'failing-over' || life.branch !== name) {
        this.#checkState(['protected'], 'failed over')
        const { position } = resolvePoint(journal, group, at)
        this.#checkNew(name)
        const time = host.now()
        await this.#save({
          epoch: epoch + 1,
          takeOver: { kind: 'fail-over', by, time },
          // the newest is known when the primary side is fenced
          life: { state: 'failing-over', branch: name, by, time, ...(!('newest' in at) && { position }) },
        })
        this.takeOvers['fail-over']++
      }
      await this.#makeFailOver()
      return this.#branch(name)
    })
  }

  /**
   * Throws a test away, or rolls a fail-over back: the primary side counts again.
   *
   * @throws ReplicationError not-found; wrong-state where the branch is the truth; file-failed
   */
  discard(name: string, by: string): Promise<void> {
    return this.#change(async () => {
      const { branches } = this.#options
      const { life } = this.#record
      if (life.branch !== name) {
        if (branches.record(name) === undefined) throw notFound(this.#record.name, name)
        await branches.drop(name)
        return
      }
      this.#checkState(['failing-over', 'failed-over', 'rolling-back'], `rolled back`)
      if (life.copiedTo !== undefined)
        throw new ReplicationError(
          'wrong-state',
          `a fail-back of ${name} was begun: the disks of ${life.copiedTo} are no moment any more to go back to; fail it back, or commit it`,
        )
      if (life.state !== 'rolling-back') await this.#takeOver('roll-back', by, { state: 'rolling-back', branch: name })
      await this.#endRollBack()
    })
  }

  /**
   * Makes a branch the truth. Without a way back to what the primary side had: only by a fail-back it goes on there.
   *
   * @throws ReplicationError not-found, wrong-state, file-failed
   */
  commit(name: string, by: string): Promise<void> {
    return this.#change(async () => {
      const { life } = this.#record
      if (life.state === 'committed' && life.branch === name) return
      const branch = this.#options.branches.get(name)
      // one that is being returned goes on, where there is no room for it in the journal
      this.#checkState(life.branch === name ? ['failed-over', 'returning'] : ['protected'], 'committed')
      await branch.sync()
      await this.#takeOver('commit', by, { state: 'committed', branch: name, isHeld: life.isHeld })
      this.#fence()
      branch.thaw()
      this.#options.branches.reopen(name)
    })
  }

  /**
   * Nobody gets the disks of a fail-over until `release`, though the hub ends and begins: clients that have them lose them, and what they
   * wrote is durable. Of a group that is not failed over there is nothing to hold.
   *
   * @throws ReplicationError file-failed, full: nothing is held then
   */
  hold(): Promise<void> {
    return this.exclusive(async () => {
      const { life } = this.#record
      const { branches, host } = this.#options
      if (life.branch === undefined) return
      if (life.isHeld !== true) await this.#save({ life: { ...life, isHeld: true } })
      await host.dropExports(branches.exportNames(life.branch))
      if (branches.record(life.branch) !== undefined) await branches.get(life.branch).sync()
    })
  }

  /** Ends `hold`. @throws ReplicationError in-use while the fail-over is given back; file-failed, full */
  release(): Promise<void> {
    return this.#change(async () => {
      const { life } = this.#record
      if (life.isHeld === true) await this.#save({ life: { ...life, isHeld: undefined } })
    })
  }

  /**
   * Gives the truth back: what differs is copied to the primary side while the recovery VM goes on, the rest when it has ended; then the
   * branch becomes part of the group's history, and the group is protected from there. What fails can be begun again. One that waits for the
   * recovery VM does so no more where another one is asked for that does not: both end then.
   *
   * @throws ReplicationError wrong-state, lost, full, file-failed, or what the primary side fails with
   */
  async failBack(side: PrimarySide, options: FailBackOptions): Promise<Returned> {
    const { agent } = side
    const { awaitsGuest = false } = options
    const other = this.#underWay
    if (other?.done !== undefined && other.awaitsGuest && !awaitsGuest && other.agent === agent) {
      other.awaitsGuest = false
      return await other.done
    }
    return await this.#long('fail-back', report => {
      const underWay: UnderWay = { agent, awaitsGuest }
      underWay.done = this.#failBack(side, options, underWay, report).finally(() => {
        this.#underWay = undefined
      })
      this.#underWay = underWay
      return underWay.done
    })
  }

  /**
   * The last step of a fail-back, where the primary side has all of the branch by other ways: its disks take nothing more.
   *
   * @throws ReplicationError wrong-state, full, file-failed
   */
  endFailOver(agent: string, { by, progress }: Pick<FailBackOptions, 'by' | 'progress'>): Promise<Returned> {
    return this.#long('fail-back', async report => {
      this.#returning(agent)
      return await this.#return(agent, by, (done, all) => {
        report(done, all)
        progress?.(done, all)
      })
    })
  }

  async #failBack(
    side: PrimarySide,
    { by, progress, signal, caughtUp }: FailBackOptions,
    underWay: UnderWay,
    report: Progress,
  ): Promise<Returned> {
    const { branches, journal } = this.#options
    const branch = this.#returning(side.agent)
    const { name } = branch.record
    const both: Progress = (done, all) => {
      report(done, all)
      progress?.(done, all)
    }
    const noLonger = await this.#noteCopy(side.agent)
    let hasBegun = false
    const began = () => {
      hasBegun = true
    }
    const options: CopyBackOptions = { branch, journal, side, progress: both, signal, began }
    try {
      await copyChanged(options)
      await this.#guestGone(options, underWay)
      await caughtUp?.()
      await branches.close(name)
      await branch.freeze(`the branch ${name} is failed back`)
      await copyRest(options)
    } catch (error) {
      // unless what was begun before a crash has to be ended
      if (this.#record.life.state !== 'returning') {
        branch.thaw()
        branches.reopen(name)
      }
      const isRefused = error instanceof ReplicationError && error.code !== 'lost'
      if (!hasBegun && isRefused) await noLonger().catch(() => {})
      throw error
    }
    return await this.#return(side.agent, by, both)
  }

  /** Durable before anything is copied: a fail-over whose primary side was written to is not rolled back. @returns what takes it back */
  async #noteCopy(agent: string): Promise<() => Promise<void>> {
    const { life } = this.#record
    if (life.state !== 'failed-over' || life.copiedTo !== undefined) return async () => {}
    await this.#save({ life: { ...life, copiedTo: agent } })
    return () => this.#save({ life: { ...this.#record.life, copiedTo: undefined } })
  }

  /** What the recovery VM writes until it has gone is copied once a while, so that little is left then. */
  async #guestGone(options: CopyBackOptions, underWay: UnderWay): Promise<void> {
    const { branch, signal } = options
    const { branches, host } = this.#options
    const names = branches.exportNames(branch.record.name)
    underWay.waits = () => ({ clients: host.exportClients(names), left: branch.noted })
    while (underWay.awaitsGuest && !(await host.haveGone(names, signal)))
      await copyWritten({ ...options, progress: undefined })
    underWay.waits = undefined
  }

  #change<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.exclusive(() => {
      this.#checkIdle()
      return work()
    })
  }

  /** Others are refused meanwhile, and do not wait. */
  async #long<Result>(what: string, work: (report: Progress) => Promise<Result>): Promise<Result> {
    await this.exclusive(async () => {
      this.#checkIdle()
      this.#busy = what
    })
    try {
      return await work((done, all) => {
        this.#progress = { done, all }
      })
    } finally {
      this.#busy = undefined
      this.#progress = undefined
    }
  }

  #checkIdle(): void {
    if (this.#busy !== undefined)
      throw new ReplicationError(
        'in-use',
        `the ${this.#busy} of the group ${this.#record.name} is under way: wait for it`,
      )
  }

  /** @throws ReplicationError wrong-state */
  #checkState(states: readonly LifeState[], done: string): void {
    const { life, name } = this.#record
    if (states.includes(life.state)) return
    const on = life.branch === undefined ? '' : ` on the branch ${life.branch}`
    throw new ReplicationError(
      'wrong-state',
      `the group ${name} is ${life.state}${on} (${takenOverBy(this.#record)}): it cannot be ${done}`,
    )
  }

  /** @throws ReplicationError bad-name, in-use, full */
  #checkNew(name: string): void {
    checkName('branch', name)
    const { branches } = this.#options
    const group = this.#record.name
    if (branches.record(name) !== undefined)
      throw new ReplicationError('in-use', `the group ${group} has a branch ${name}: discard it, or take another name`)
    const most = this.#options.limits().branches
    if (branches.records.length >= most)
      throw new ReplicationError(
        'full',
        `the group ${group} has ${branches.records.length} branches, and may have ${most}: discard one`,
      )
  }

  #branch(name: string): BranchRecord {
    const record = this.#options.branches.record(name)
    if (record === undefined) throw notFound(this.#record.name, name)
    return record
  }

  async #make(
    name: string,
    kind: BranchRecord['kind'],
    point: Point,
    by: string,
    change: Partial<GroupRecord> = {},
  ): Promise<void> {
    const { branches, host } = this.#options
    const { position, time: pointTime } = point
    await branches.make({ name, kind, position, pointTime, made: host.now(), by }, change)
  }

  /** The primary side is fenced in the record: nothing of it comes after this. */
  async #makeFailOver(): Promise<void> {
    const { journal, stream } = this.#options
    const { branch, position, by = '', time, isHeld } = this.#record.life
    this.#fence()
    await stream.settled()
    const at: At = position === undefined ? { newest: true } : { position }
    const point = resolvePoint(journal, this.#record.name, at)
    const life: Life = { state: 'failed-over', branch, by, time, isHeld }
    await this.#make(branch!, 'fail-over', point, by, { life })
  }

  async #endRollBack(): Promise<void> {
    const { branches, stream } = this.#options
    const { branch } = this.#record.life
    if (branches.record(branch!) !== undefined) await branches.drop(branch!)
    await this.#save({ life: { state: 'protected' } })
    stream.tellReady()
  }

  #fence(): void {
    const { epoch, name } = this.#record
    this.#options.stream.stop(
      'fenced',
      `the group ${name} is at epoch ${epoch} now: ${takenOverBy(this.#record)}; nothing more is taken from here`,
    )
  }

  async #takeOver(kind: TakeOver['kind'], by: string, life: Life): Promise<void> {
    const time = this.#options.host.now()
    const { epoch } = this.#record
    await this.#save({ epoch: epoch + 1, takeOver: { kind, by, time }, life: { ...life, by, time } })
    this.takeOvers[kind]++
  }

  /** The branch that is to be given back. @throws ReplicationError */
  #returning(agent: string) {
    checkName('agent', agent)
    this.#checkState(['failed-over', 'committed', 'returning'], 'failed back')
    const { life, name } = this.#record
    if (life.state === 'returning' && life.agent !== agent)
      throw new ReplicationError(
        'wrong-state',
        `the group ${name} is being given back to ${life.agent}, and not to ${agent}`,
      )
    return this.#options.branches.get(life.branch!)
  }

  async #return(agent: string, by: string, progress: Progress): Promise<Returned> {
    const { branches, journal, host, stream } = this.#options
    const { life, epoch, replica, owner } = this.#record
    const name = life.branch!
    const branch = branches.get(name)
    await branches.close(name)
    await branch.freeze(`the branch ${name} is failed back`)
    await branch.sync()
    if (life.state !== 'returning')
      await this.#save({ life: { state: 'returning', branch: name, agent, isHeld: life.isHeld } })
    const id = host.uuid()
    const sequence = await writeBack({
      journal,
      branch,
      stream: id,
      epoch: epoch + 1,
      hub: owner,
      now: () => host.now(),
      progress,
    })
    const time = host.now()
    await branches.drop(name, {
      epoch: epoch + 1,
      truthSince: epoch + 1,
      invited: agent,
      takeOver: { kind: 'fail-back', by, time },
      life: { state: 'protected' },
    })
    this.takeOvers['fail-back']++
    stream.tellReady()
    return { epoch: epoch + 1, replica, stream: id, sequence }
  }

  #save(change: Partial<GroupRecord>): Promise<void> {
    return this.#options.file.save(change)
  }
}

const notFound = (group: string, name: string) =>
  new ReplicationError('not-found', `the group ${group} has no branch ${name}`)
