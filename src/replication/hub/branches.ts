import type { Folder } from '../folder.js'
import { ReplicationError } from '../replication-error.js'
import { Branch } from './branch.js'
import { fileError } from './file-error.js'
import type { BranchRecord } from './group-record.js'
import type { HubHost } from './hub-host.js'
import type { Journal, View } from './journal-seam.js'
import type { OverlayQuota } from './overlay-quota.js'
import type { RecordFile } from './record-file.js'

export interface BranchesOptions {
  file: RecordFile
  /** Of the term. */
  folder: Folder
  journal: Journal
  quota: OverlayQuota
  host: HubHost
  /** @throws ReplicationError owned where another hub has the group now */
  checkOwner(): void
}

const folderName = 'branches'

/** The branches of a group. Each change of theirs is in the group's record before it is made. */
export class Branches {
  readonly #options: BranchesOptions
  readonly #open = new Map<string, Branch>()
  /** Those that cannot be opened, and why. */
  readonly #lost = new Map<string, ReplicationError>()
  /** What those rest on: it must be there when they can be opened. */
  readonly #kept = new Map<string, View>()
  /** Those whose disks nobody gets any more. */
  readonly #closed = new Set<string>()

  constructor(options: BranchesOptions) {
    this.#options = options
  }

  get records(): readonly BranchRecord[] {
    return this.#options.file.record.branches
  }

  /** Why a branch cannot be served; undefined where it can. */
  whyLost(name: string): string | undefined {
    return this.#lost.get(name)?.message
  }

  /** @throws ReplicationError not-found, or what it was lost by */
  get(name: string): Branch {
    const branch = this.#open.get(name)
    if (branch !== undefined) return branch
    throw this.#lost.get(name) ?? notFound(this.#options.file.record.name, name)
  }

  /** How much was written to it, in bytes. */
  written(name: string): number {
    return this.#open.get(name)?.written ?? 0
  }

  /** The branch whose disks a client may get: not one that is going, or held. */
  served(name: string): Branch | undefined {
    const { life } = this.#options.file.record
    const isHeld = life.isHeld === true && life.branch === name
    return isHeld || this.#closed.has(name) ? undefined : this.#open.get(name)
  }

  exportNames(name: string): string[] {
    const { file } = this.#options
    return this.#open.get(name)?.volumes.map(volume => `${file.record.name}/${name}/${volume.name}`) ?? []
  }

  record(name: string): BranchRecord | undefined {
    return this.records.find(one => one.name === name)
  }

  /** Opens what is ready, and drops what is to go, or whose making nobody heard of. One that `isMade` is made by others. */
  async restore(isMade: (name: string) => boolean): Promise<void> {
    // first of all: what they rest on must not be folded, whatever fails
    for (const record of this.records) if (record.state === 'ready') await this.#restore(record)
    this.#removeForgotten()
    for (const { name, state } of this.records)
      if (state === 'dropping' || (state === 'making' && !isMade(name))) await this.drop(name)
  }

  /**
   * Makes a branch as of a position, or goes on with one whose making was interrupted. `change` becomes so together with it.
   *
   * @throws ReplicationError no-such-point, file-failed, full: then there is none, unless the disk took not even that
   */
  async make(
    wanted: Omit<BranchRecord, 'id' | 'state'>,
    change: Parameters<RecordFile['save']>[0] = {},
  ): Promise<Branch> {
    const { file, journal, quota, folder, checkOwner } = this.#options
    const view = await journal.view(wanted.position)
    let begun: BranchRecord | undefined
    let branch: Branch
    try {
      const { nextBranch } = file.record
      begun = { ...wanted, id: nextBranch, state: 'making' }
      await file.save({ branches: [...this.#without(wanted.name), begun], nextBranch: nextBranch + 1 })
      const own = folder.folder(folderName).folder(String(begun.id))
      branch = await Branch.open({ record: begun, folder: own, view, quota, checkOwner })
      await folder.folder(folderName).sync()
      await folder.sync()
    } catch (error) {
      view.close()
      throw fileError(`the branch ${wanted.name} cannot be made`, error)
    }
    const ready: BranchRecord = { ...begun, state: 'ready' }
    try {
      await file.save({ ...change, branches: [...this.#without(wanted.name), ready] })
    } catch (error) {
      await branch.close()
      throw error
    }
    this.#open.set(wanted.name, branch)
    return branch
  }

  /** Ends a branch, and removes what was written to it. */
  async drop(name: string, change: Parameters<RecordFile['save']>[0] = {}): Promise<void> {
    const { file, folder } = this.#options
    const record = this.record(name)
    if (record === undefined) return
    if (record.state !== 'dropping')
      await file.save({ ...change, branches: [...this.#without(name), { ...record, state: 'dropping' }] })
    await this.close(name)
    await this.#open.get(name)?.close()
    this.#open.delete(name)
    this.#letGo(name)
    try {
      if (folder.folders().includes(folderName)) {
        const all = folder.folder(folderName)
        if (all.folders().includes(String(record.id))) all.remove(String(record.id))
        await all.sync()
      }
    } catch (error) {
      throw fileError(`what was written to the branch ${name} cannot be removed`, error)
    }
    await file.save({ branches: this.#without(name) })
    this.#lost.delete(name)
    this.#closed.delete(name)
  }

  /** Ends its clients: no other ones come until `reopen`, and nothing of theirs has an effect when it settles. */
  async close(name: string): Promise<void> {
    this.#closed.add(name)
    await this.#options.host.dropExports(this.exportNames(name))
  }

  reopen(name: string): void {
    this.#closed.delete(name)
  }

  /** Makes all durable, and closes the files: their records stay. */
  async closeAll(): Promise<void> {
    for (const [name, branch] of this.#open) {
      await this.close(name)
      await branch.freeze('the hub ends')
      await branch.sync().catch(() => {})
      await branch.close()
    }
    this.#open.clear()
    for (const name of [...this.#kept.keys()]) this.#letGo(name)
  }

  #letGo(name: string): void {
    this.#kept.get(name)?.close()
    this.#kept.delete(name)
  }

  async #restore(record: BranchRecord): Promise<void> {
    const { journal, quota, folder, checkOwner } = this.#options
    let view: View | undefined
    try {
      view = await journal.view(record.position)
      const own = folder.folder(folderName).folder(String(record.id))
      this.#open.set(record.name, await Branch.open({ record, folder: own, view, quota, checkOwner }))
    } catch (error) {
      if (view !== undefined) this.#kept.set(record.name, view)
      this.#lost.set(record.name, fileError(`the branch ${record.name} cannot be opened`, error))
    }
  }

  /** Folders of branches whose making was interrupted, and begun anew. */
  #removeForgotten(): void {
    const { folder } = this.#options
    if (!folder.folders().includes(folderName)) return
    const all = folder.folder(folderName)
    const known = new Set(this.records.map(({ id }) => String(id)))
    for (const name of all.folders()) if (!known.has(name)) all.remove(name)
  }

  #without(name: string): BranchRecord[] {
    return this.records.filter(one => one.name !== name)
  }
}

const notFound = (group: string, name: string) =>
  new ReplicationError('not-found', `the group ${group} has no branch ${name}`)
