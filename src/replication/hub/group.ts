import type { Folder } from '../folder.js'
import type { Attach, Part, VolumeReport } from '../wire/message.js'
import { Branches } from './branches.js'
import { checkEpoch } from './check-epoch.js'
import { Completeness } from './completeness.js'
import { Digests } from './digests.js'
import { fileError } from './file-error.js'
import { type WholeLimits, wholeLimits } from './group-limits.js'
import type { GroupLimits, GroupRecord } from './group-record.js'
import type { BranchStatus, GroupState, GroupStatus } from './group-status.js'
import { type Attachment, GroupStream, type StreamLink } from './group-stream.js'
import type { HubHost } from './hub-host.js'
import type { Journal, OpenJournal } from './journal-seam.js'
import { GroupLife } from './life.js'
import { OverlayQuota } from './overlay-quota.js'
import { RecordFile } from './record-file.js'
import { checkTerm, ownTerm, type TakeOverOf, type Term, type TermLease, termFolder } from './terms.js'

export interface GroupOptions {
  /** The group's. */
  folder: Folder
  name: string
  /** The hub's name. */
  hub: string
  host: HubHost
  openJournal: OpenJournal
  /** Of a group that is new, or whose limits change. */
  limits?: GroupLimits | undefined
  /** Takes the group from another hub; with `true`, also from one of the same name. */
  takeOver?: TakeOverOf | undefined
  /** What it is claimed under, and acknowledged. */
  lease?: TermLease | undefined
}

const journalFolder = 'journal'
/** How many ranges of moments a status has. */
const rangesAtMost = 1000

/** One consistency group on this hub. */
export class HubGroup {
  readonly name: string
  readonly life: GroupLife
  readonly stream: GroupStream
  readonly branches: Branches
  readonly journal: Journal
  readonly #file: RecordFile
  readonly #digests: Digests
  readonly #quota: OverlayQuota
  readonly #checkTerm: () => void
  readonly #opened: number
  #problem: string | undefined
  /** Why what was begun could not go on when it was opened. */
  #unfinished: string | undefined
  /** As it was when it was looked at last: to ask the disk at each write would cost too much. */
  #over: string | undefined
  #reported: readonly VolumeReport[] = []
  readonly #completeness = new Completeness()
  #trimming: Promise<void> | undefined

  private constructor(options: GroupOptions, term: Term, folder: Folder, file: RecordFile, journal: Journal) {
    const { name, host } = options
    this.name = name
    this.journal = journal
    this.#file = file
    this.#opened = host.now()
    this.#checkTerm = checkOf(options, term)
    this.#quota = new OverlayQuota(this.limits.overlayBytes)
    this.#digests = new Digests(name, journal)
    const checkOwner = this.#checkTerm
    this.branches = new Branches({ file, folder, journal, quota: this.#quota, host, checkOwner })
    this.stream = new GroupStream({
      group: name,
      journal,
      now: () => host.now(),
      pause: milliseconds => host.pause(milliseconds),
      limits: () => this.limits,
      overLimit: () => this.#over,
      wrote: (volume, offset, length) => this.#digests.wrote(volume, offset, length),
      checkOwner,
    })
    const parts = { file, journal, stream: this.stream, branches: this.branches, host, limits: () => this.limits }
    this.life = new GroupLife(parts)
  }

  /**
   * Opens a group; one that is not there is made. What was interrupted goes on.
   *
   * @throws ReplicationError owned, damaged, file-failed, full
   */
  static async open(options: GroupOptions): Promise<HubGroup> {
    const { folder, name, hub, openJournal, limits, takeOver = false, lease } = options
    const term = await ownTerm(folder, name, { hub, takeOver, lease })
    const own = termFolder(folder, term.number)
    const check = checkOf(options, term)
    let file = RecordFile.load(own, name, check)
    const kept: GroupLimits = { ...file?.record.limits, ...limits }
    const { journalBytes: bytes, history, journalHardBytes: hardBytes, checkpoints: names } = wholeLimits(kept)
    let journal: Journal
    try {
      journal = await openJournal(own.folder(journalFolder), {
        limits: { bytes, history, hardBytes, names },
        now: () => options.host.now(),
      })
    } catch (error) {
      throw fileError(`the journal of the group ${name} cannot be opened`, error)
    }
    try {
      if (file === undefined) {
        file = await RecordFile.create(own, newRecord(options, term, kept), check)
        await folder.sync()
      } else if (isOther(file.record, term, kept))
        await file.save({ term: term.number, owner: term.owner, limits: kept })
      const group = new HubGroup(options, term, own, file, journal)
      await group.#restore()
      return group
    } catch (error) {
      await journal.close().catch(() => {})
      throw fileError(`the group ${name} cannot be opened`, error)
    }
  }

  get record(): Readonly<GroupRecord> {
    return this.#file.record
  }

  get limits(): WholeLimits {
    return wholeLimits(this.#file.record.limits)
  }

  /** Other limits hold from now on, and durably. @throws ReplicationError full, file-failed, owned: the former ones hold */
  async limit(limits: GroupLimits): Promise<void> {
    const kept: GroupLimits = { ...this.record.limits, ...limits }
    if (isSame(this.record.limits, kept)) return
    await this.#file.save({ limits: kept })
    const { journalBytes: bytes, history, checkpoints: names, overlayBytes } = this.limits
    this.journal.limit({ bytes, history, names })
    this.#quota.limit = overlayBytes
  }

  /** Attaches an agent's stream. @throws ReplicationError, for the agent to get as `refused` */
  attach(link: StreamLink, attach: Attach): Promise<Attachment | undefined> {
    return this.life.exclusive(async () => {
      this.#checkTerm()
      this.#over = this.#overLimit()
      try {
        checkEpoch(this.record, link.agent, attach.epoch)
      } catch (error) {
        if (this.record.life.state !== 'protected') this.stream.tellWhenReady(link)
        throw error
      }
      const { epoch, replica } = this.record
      const admit = async () => {
        if (this.record.agent !== link.agent) await this.#file.save({ agent: link.agent })
      }
      return await this.stream.attach(link, attach, { epoch, replica, admit })
    })
  }

  digests(part: Part): Promise<Uint8Array> {
    return this.#digests.read(part)
  }

  /** What its agent says of its volumes. @param saidSince it was said after that, by `performance.now()` */
  report(volumes: readonly VolumeReport[], saidSince?: number): void {
    this.#reported = volumes
    const isTaken = this.stream.attachment !== undefined && this.#whyUnsettled() === undefined
    if (isTaken) this.#completeness.reported(this.journal.volumes, volumes, saidSince)
  }

  /** To be called about once a second: folds what is too old, and sees whether there is room again. */
  async look(): Promise<void> {
    this.#digests.letGo()
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined
    })
    await this.#trimming
  }

  status(): GroupStatus {
    const { journal, stream, life, record, limits } = this
    const { last } = journal
    const { used, history, over, problem } = this.#lookAtFiles()
    const state = this.#state(over)
    return {
      name: this.name,
      state,
      since: this.#since(state),
      problem,
      unsettled: this.#whyUnsettled(),
      epoch: record.epoch,
      term: record.term,
      replica: record.replica,
      agent: record.agent,
      isAttached: stream.attachment !== undefined,
      heard: stream.heard,
      mayLack: this.#completeness.secondsSince(performance.now()),
      isHeld: record.life.isHeld,
      takeOver: record.takeOver,
      volumes: journal.volumes,
      newest: last.settled,
      lag: stream.uncommitted,
      history,
      branches: record.branches.map(branch => this.#branchStatus(branch)),
      busy: life.busy,
      used: { ...used, overlayBytes: this.#quota.used },
      limits: {
        journalBytes: limits.journalBytes,
        history: limits.history,
        imageBytes: limits.imageBytes,
        overlayBytes: limits.overlayBytes,
        branches: limits.branches,
        checkpoints: limits.checkpoints,
      },
      reported: this.#reported,
    }
  }

  async close(): Promise<void> {
    this.stream.stop('lost', 'the hub ends')
    await this.stream.settled()
    await this.#trimming?.catch(() => {})
    await this.branches.closeAll()
    await this.#digests.close()
    await this.journal.close()
  }

  async #restore(): Promise<void> {
    try {
      await this.life.restore()
    } catch (error) {
      // the rest of it can be seen, and be asked for again
      this.#unfinished = fileError(`what was begun with the group ${this.name} cannot go on`, error).message
    }
  }

  async #trim(): Promise<void> {
    try {
      this.#checkTerm()
      // the moment of a fail-over that is begun stays until there is a branch that holds it
      if (this.record.life.state !== 'failing-over') await this.journal.trim()
      this.#over = this.#overLimit()
      if (this.journal.state === 'taking' && this.#over === undefined && this.record.life.state === 'protected')
        this.stream.tellReady()
    } catch (error) {
      const failure = fileError(`the history of the group ${this.name} cannot be folded`, error)
      if (failure.code === 'owned') this.stream.stop('owned', failure.message)
      if (failure.code !== 'full') this.#problem = failure.message
    }
  }

  #overLimit(): string | undefined {
    const { imageBytes } = usageOf(this.journal)
    if (imageBytes <= this.limits.imageBytes) return undefined
    return `the images of the group ${this.name} have ${imageBytes} bytes, and may have ${this.limits.imageBytes}: raise the limit`
  }

  /** What its files say; where they fail, that is its problem, and nobody else's. */
  #lookAtFiles() {
    let problem = this.#problem ?? (this.life.isUnfinished ? this.#unfinished : undefined)
    try {
      const over = this.#overLimit()
      return {
        used: usageOf(this.journal),
        history: this.journal.history(rangesAtMost),
        over,
        problem: problem ?? over,
      }
    } catch (error) {
      problem ??= fileError(`the files of the group ${this.name} cannot be read`, error).message
      return { used: { journalBytes: 0, imageBytes: 0 }, history: [], over: undefined, problem }
    }
  }

  #whyUnsettled(): string | undefined {
    const { isSettled, reason = 'it was never complete' } = this.journal.last
    if (!isSettled) return reason
    return this.stream.isBehind ? 'its agent has not said yet what differs' : undefined
  }

  #state(over: string | undefined): GroupState {
    const { life, agent } = this.record
    const { state } = this.journal
    if (state === 'failed') return 'failed'
    if (life.state !== 'protected') return life.state
    if (state === 'full' || over !== undefined) return 'full'
    if (this.stream.attachment === undefined) return agent === undefined ? 'empty' : 'disconnected'
    return this.#whyUnsettled() === undefined ? 'protected' : 'syncing'
  }

  #since(state: GroupState): number | undefined {
    const { life, made } = this.record
    if (state === 'empty') return made
    if (state === 'disconnected') return this.stream.ended ?? this.journal.last.settled?.time ?? this.#opened
    if (state === 'protected' || state === 'syncing') return this.stream.attachment?.since
    return life.time
  }

  #branchStatus(branch: GroupRecord['branches'][number]): BranchStatus {
    const { name } = branch
    const { branches } = this
    const exports = branches.served(name) === undefined ? [] : branches.exportNames(name)
    return { ...branch, written: branches.written(name), lost: branches.whyLost(name), exports }
  }
}

/** Whether nobody else has the group. @throws ReplicationError owned */
const checkOf =
  ({ folder, name, lease }: GroupOptions, term: Term) =>
  (): void => {
    checkTerm(folder, name, term)
    // last: to look at the storage may have taken its time
    lease?.check()
  }

const usageOf = (journal: Journal) => {
  const { journalBytes, imageBytes } = journal.usage()
  return { journalBytes, imageBytes }
}

const newRecord = ({ name, host }: GroupOptions, term: Term, limits: GroupLimits): GroupRecord => ({
  name,
  replica: host.uuid(),
  made: host.now(),
  epoch: 1,
  truthSince: 1,
  term: term.number,
  owner: term.owner,
  limits,
  life: { state: 'protected' },
  branches: [],
  nextBranch: 1,
})

/** Whether the record has to be written for what the hub was started with. */
const isOther = (record: GroupRecord, term: Term, limits: GroupLimits): boolean =>
  record.term !== term.number || record.owner !== term.owner || !isSame(record.limits, limits)

function isSame(a: GroupLimits, b: GroupLimits): boolean {
  const [one, other] = [wholeLimits(a), wholeLimits(b)]
  return JSON.stringify(one) === JSON.stringify(other)
}
