import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lookAt } from '../../../colo/look.js'
import { prepareOverlays } from '../../../colo/node/prepare-overlays.js'
import { recordFolder } from '../../../colo/node/record-folder.js'
import type { OverlayFiles } from '../../../colo/rebuild/become-secondary.js'
import type { RecordStore } from '../../../colo/records/record-store.js'
import { type Side, writeRecord } from '../../../colo/side.js'
import type { Limits } from '../../../link/limits.js'
import { printable } from '../../../printable.js'
import { formatNodeRecord, type NodeRecord, newRecord, parseNodeRecord } from '../node-record.js'

/** What the node's own record is kept as, among those of images: no image has this path. */
const ownName = 'node'

/** What a node keeps of its guest in files: records, and a secondary's overlays. */
export class GuestFiles {
  readonly records: RecordStore
  readonly #folder: string
  readonly #overlays: string

  constructor({ records, overlays }: { records: string; overlays: string }) {
    this.records = recordFolder(records)
    this.#folder = records
    this.#overlays = overlays
  }

  /** @throws ColoError record; Error where what is kept is no record */
  async read(): Promise<NodeRecord> {
    const text = await this.records.read(ownName)
    if (text === undefined) return newRecord
    const record = parseNodeRecord(text)
    if (record === undefined) throw new Error(`the node's record in ${this.#folder} is damaged`)
    return record
  }

  async keep(record: NodeRecord): Promise<void> {
    await this.records.write(ownName, formatNodeRecord(record))
  }

  /** A file that an operator removes when what was written here is to be lost. */
  get splitFile(): string {
    return join(this.#folder, 'split-brain')
  }

  isSplit(): boolean {
    return existsSync(this.splitFile)
  }

  setSplit(why: string): void {
    const what = 'remove this file when what was written here is to be overwritten'
    writeFileSync(this.splitFile, `${new Date().toISOString()} ${why}: ${what}\n`, { mode: 0o600, flush: true })
  }

  overlaysOf(disk: string): OverlayFiles {
    // as QEMU has its ids: nothing that leads out of the folder
    if (!/^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(disk)) throw new Error(`no file can be named after ${printable(disk)}`)
    return {
      active: join(this.#overlays, `${disk}-active.qcow2`),
      hidden: join(this.#overlays, `${disk}-hidden.qcow2`),
    }
  }

  hasOverlays({ active, hidden }: OverlayFiles): boolean {
    return existsSync(active) && existsSync(hidden)
  }

  /** Makes empty overlays for those disks whose QEMU has none. @throws ColoError overlay, record; QmpError */
  async prepare(own: Side, disks: readonly string[], limits: Limits): Promise<({ disk: string } & OverlayFiles)[]> {
    const { disks: sights } = await lookAt(own, disks, limits)
    const made: ({ disk: string } & OverlayFiles)[] = []
    await mkdir(this.#overlays, { recursive: true, mode: 0o700 })
    for (const { disk, role, secondary, image, record } of sights) {
      if (image === undefined || (role !== 'primary' && secondary.kind !== 'failed-over')) continue
      // those of a secondary whose QEMU was started anew held what undid the open epoch: that is over now
      if (record !== undefined && record.state !== 'alone' && record.state !== 'replicated')
        await writeRecord(own, image.file, { ...record, state: 'syncing', why: 'its overlays are made anew' }, limits)
      const files = this.overlaysOf(disk)
      for (const file of Object.values(files)) await rm(file, { force: true })
      await prepareOverlays([{ ...files, size: image.virtualSize }])
      made.push({ disk, ...files })
    }
    return made
  }
}

/** The first line of the file with the pair's name. @throws Error */
export function readPairName(file: string): string {
  const [name = ''] = readFileSync(file, 'utf8').split('\n', 1)
  if (name.trim() === '' || name.length > 256)
    throw new Error(`${file} has no pair's name in its first line: write 1 to 256 characters that nobody guesses`)
  return name.trim()
}
