import type { BlockBackend } from '../../nbd/block-backend.js'
import type { Folder, OpenFile } from '../folder.js'
import { ReplicationError } from '../replication-error.js'
import type { VolumeInfo } from '../wire/message.js'
import { fileError } from './file-error.js'
import type { BranchRecord } from './group-record.js'
import type { Run, View } from './journal-seam.js'
import { Overlay } from './overlay.js'
import type { OverlayQuota } from './overlay-quota.js'

const dataName = (volume: number) => `${volume}.overlay`
const mapName = (volume: number) => `${volume}.map`

export interface BranchOptions {
  record: BranchRecord
  /** Where its files are, or are to be. */
  folder: Folder
  /** The group as of its point. */
  view: View
  quota: OverlayQuota
  /** @throws ReplicationError owned where another hub has the group now */
  checkOwner(): void
}

/** A group as of a point, written to by a recovery VM: a disk for each volume. */
export class Branch {
  readonly record: BranchRecord
  readonly volumes: readonly VolumeInfo[]
  readonly #view: View
  readonly #overlays: ReadonlyMap<number, Overlay>

  private constructor({ record, view }: BranchOptions, overlays: ReadonlyMap<number, Overlay>) {
    this.record = record
    this.volumes = view.volumes
    this.#view = view
    this.#overlays = overlays
  }

  /**
   * Opens a branch: of one that is `making` the files are made, durably. The view is its own, unless it fails.
   *
   * @throws ReplicationError damaged where files are missing; file-failed, full
   */
  static async open(options: BranchOptions): Promise<Branch> {
    const { record, folder, view, quota, checkOwner } = options
    const files = new Set(folder.list())
    const overlays = new Map<number, Overlay>()
    const opened: OpenFile[] = []
    try {
      for (const { number, size } of view.volumes) {
        const names = [dataName(number), mapName(number)] as const
        const isNew = record.state === 'making'
        if (isNew) for (const name of names) if (files.has(name)) folder.remove(name)
        const missing = names.find(name => !files.has(name))
        if (!isNew && missing !== undefined) throw lost(record, missing)
        const [data, map] = [openFile(folder, names[0], isNew), openFile(folder, names[1], isNew)]
        opened.push(data, map)
        if (data.size !== size) data.truncate(size)
        if (isNew) await Promise.all([data.sync(), map.sync()])
        overlays.set(number, new Overlay({ view, volume: number, size, data, map, quota, isNew, checkOwner }))
      }
      if (record.state === 'making') await folder.sync()
    } catch (error) {
      for (const file of opened) file.close()
      for (const overlay of overlays.values()) quota.remove(overlay.written)
      throw fileError(`the branch ${record.name} cannot be opened`, error)
    }
    return new Branch(options, overlays)
  }

  /** How much was written to it, in bytes. */
  get written(): number {
    let written = 0
    for (const overlay of this.#overlays.values()) written += overlay.written
    return written
  }

  /** How much of what is written to it is noted for a copy that follows, in bytes. */
  get noted(): number {
    let noted = 0
    for (const overlay of this.#overlays.values()) noted += overlay.noted
    return noted
  }

  /** A volume's disk, by the volume's name. @throws ReplicationError not-found */
  disk(name: string): BlockBackend {
    return this.overlay(this.volume(name).number)
  }

  /** @throws ReplicationError not-found */
  volume(name: string): VolumeInfo {
    const volume = this.volumes.find(one => one.name === name)
    if (volume === undefined)
      throw new ReplicationError('not-found', `the branch ${this.record.name} has no volume ${name}`)
    return volume
  }

  overlay(volume: number): Overlay {
    const overlay = this.#overlays.get(volume)
    if (overlay === undefined)
      throw new ReplicationError('not-found', `the branch ${this.record.name} has no volume ${volume}`)
    return overlay
  }

  /** Reads, also when it is frozen. */
  read(volume: number, { offset, length }: Run): Uint8Array | Promise<Uint8Array> {
    return this.overlay(volume).readFrozen(offset, length)
  }

  async freeze(why: string): Promise<void> {
    await Promise.all([...this.#overlays.values()].map(overlay => overlay.freeze(why)))
  }

  thaw(): void {
    for (const overlay of this.#overlays.values()) overlay.thaw()
  }

  async sync(): Promise<void> {
    await Promise.all([...this.#overlays.values()].map(overlay => overlay.sync()))
  }

  async close(): Promise<void> {
    await this.freeze(`the branch ${this.record.name} is closed`)
    for (const overlay of this.#overlays.values()) overlay.close()
    this.#view.close()
  }
}

const openFile = (folder: Folder, name: string, isNew: boolean): OpenFile =>
  folder.open(name, isNew ? 'create' : 'write')

const lost = ({ name, kind }: BranchRecord, file: string) =>
  new ReplicationError(
    'damaged',
    `the branch ${name} (a ${kind}) has lost its file ${file}: what was written to it cannot be served; discard it`,
  )
