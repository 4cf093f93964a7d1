import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import type { JournalOptions } from '#xenlight/replication/journal/journal-options.js'
import type { JournalView } from '#xenlight/replication/journal/journal-view.js'
import type { VolumeInfo } from '#xenlight/replication/wire/message.js'
import type { Random } from '../../support/random.js'
import type { MemoryDisk } from '../memory-folder.js'
import {
  cellBytes,
  cellSize,
  isBehind,
  type ModelStream,
  type Moment,
  offeredAt,
  recordsBefore,
  withCells,
  withMessage,
} from './journal-model.js'
import { checkView } from './verify-journal.js'

/** A pinned view, and what it must show. */
interface Pinned {
  view: JournalView
  moment: Moment
}

/** A journal that random things are done to, beside the model of it. */
export class JournalRun {
  readonly disk: MemoryDisk
  readonly random: Random
  readonly options: JournalOptions
  journal!: GroupJournal
  /** Behind all that was appended. */
  head: Moment
  /** Behind all that was acknowledged. */
  acknowledged: Moment
  /** All that were ever appended behind what was acknowledged then, also those that were lost. */
  appended: Moment[] = []
  readonly pinned: Pinned[] = []
  /** Names that must not be folded. */
  readonly kept = new Set<string>()
  /** Whether there is a volume that writes of several pieces go to. */
  large = false
  #stamp = 1
  #time = 1_000_000
  #commits: Promise<void>[] = []

  constructor(disk: MemoryDisk, random: Random, options: JournalOptions, head: Moment) {
    this.disk = disk
    this.random = random
    this.options = options
    this.head = head
    this.acknowledged = head
    this.#time += head.time
    this.#stamp += head.position * 100_000
  }

  /** A disk that is full may keep it from being opened. */
  isOpen = false

  async open(): Promise<void> {
    this.journal = await GroupJournal.open(this.disk.folder, this.options)
    this.isOpen = true
  }

  /** What is needed before data can be appended. */
  begin(): void {
    for (const volume of [
      { number: 0, name: 'a', size: 100 * cellSize },
      { number: 7, name: 'b', size: 5 * 65536 + 3 * cellSize },
    ])
      if (!this.head.volumes.has(volume.number)) this.#declare(volume)
    if (this.head.stream === undefined) this.#beginStream()
  }

  /** One random thing. Errors of a full journal are no failures: what was lost is lost in the model too. */
  async step(): Promise<void> {
    // whether something was lost is said by the next commit
    if (this.journal.state === 'full') await this.settle()
    try {
      await this.#step()
    } catch (error) {
      await this.#takeFull(error)
    }
  }

  /** Waits until all that was appended is durable, or lost. */
  async settle(): Promise<void> {
    this.#commit()
    await Promise.all(this.#commits.splice(0))
  }

  async reopen(): Promise<void> {
    await this.settle()
    this.#unpinAll()
    await this.journal.close()
    this.isOpen = false
    await this.open()
  }

  async close(): Promise<void> {
    await this.settle()
    this.#unpinAll()
    await this.journal.close()
  }

  checkPinned(): void {
    for (const { view, moment } of this.pinned) checkView(view, moment)
  }

  async #step(): Promise<void> {
    const { random, journal } = this
    // what was begun may have been lost
    if (this.head.stream === undefined || this.head.volumes.size < 2) this.begin()
    const isThere = new Set(offeredAt(this.head))
    const offered = offeredAt(this.acknowledged).filter(one => one.position >= this.#low && isThere.has(one))
    switch (random.int(26)) {
      case 0:
        return this.#mark({ kind: 'unsettled', reason: 'a resync' })
      case 1:
      case 2:
        return this.#mark({ kind: 'settled' })
      case 3:
        return this.#mark({ kind: 'point', name: `p${random.int(8)}` })
      case 4:
        if (random.chance(0.2)) this.#beginStream()
        return
      case 5:
        if (random.chance(0.2)) this.#grow()
        return
      case 6:
        if (offered.length > 0 && random.chance(0.5)) this.#rewind(random.pick(offered))
        return
      case 7:
        if (offered.length > 0) this.#name(random.pick(offered))
        return
      case 8:
        if (offered.length > 0 && this.pinned.length < 3) await this.#pin(random.pick(offered))
        return
      case 9:
        if (this.pinned.length > 0) this.pinned.splice(random.int(this.pinned.length), 1)[0]!.view.close()
        return
      case 10:
        if (random.chance(0.3)) await this.#keep(random.pick([...journal.points()])?.name)
        return
      case 11:
      case 12:
        this.#commits.push(journal.trim().catch(error => this.#takeFull(error)))
        return
      case 13:
        if (random.chance(0.1)) await this.reopen()
        return
      case 14:
        // a clock that is set
        if (random.chance(0.3))
          this.#time = Math.max(1000, this.#time + (random.int(2) * 2 - 1) * random.int(10_000_000))
        return
      case 15:
        await new Promise(resolve => setImmediate(resolve))
        return
      case 16:
      case 17:
        this.#commit()
        return
      case 18:
        await this.settle()
        return
      default:
        return this.#data()
    }
  }

  /** Nothing before it is offered. */
  get #low(): number {
    return this.journal.history()[0]?.from.position ?? Number.POSITIVE_INFINITY
  }

  #place(): { channel: number; sequence: number; time: number } {
    this.#time += this.random.int(300_000)
    return { channel: 0, sequence: (this.head.stream?.sequence ?? 0) + 1, time: this.#time }
  }

  #take(position: number, change: Partial<Moment>): void {
    const before = this.head
    const moment = {
      ...before,
      names: undefined,
      written: undefined,
      isOffered: false,
      before,
      parent: before,
      ...change,
    }
    this.head = { ...moment, position }
    this.appended.push(this.head)
  }

  #data(): void {
    const { random, head } = this
    const volume = random.pick([...head.volumes.values()])
    const cells = volume.size / cellSize
    // more than one record holds
    const isLarge = volume.number > 7 && random.chance(0.5)
    const first = random.int(isLarge ? 100 : cells)
    const count = isLarge ? 4100 + random.int(300) : 1 + random.int(Math.min(24, cells - first))
    const kind = random.pick(['write', 'write', 'write', 'zero', 'fill', 'fillZero'] as const)
    const place = this.#place()
    const value = kind === 'zero' || kind === 'fillZero' ? 0 : this.#stamp++
    const at = { volume: volume.number, offset: first * cellSize, ...place }
    const position =
      kind === 'zero' || kind === 'fillZero'
        ? this.journal.append({ kind, length: count * cellSize, ...at })
        : this.journal.append({ kind, data: cellBytes(count, value), ...at })
    this.#take(position, {
      time: place.time,
      isSettled: head.isSettled,
      isOffered: head.isSettled,
      written: { volume: volume.number, start: at.offset, end: at.offset + count * cellSize },
      contents: withCells(head.contents, volume.number, first, count, value),
      stream: withMessage(head.stream!, place),
    })
  }

  #mark(mark: { kind: 'unsettled'; reason: string } | { kind: 'settled' } | { kind: 'point'; name: string }): void {
    const { head } = this
    const place = this.#place()
    const position = this.journal.append({ ...mark, ...place })
    const isSettled = mark.kind === 'settled' || (mark.kind === 'point' && head.isSettled)
    this.#take(position, {
      time: place.time,
      isSettled,
      isOffered: isSettled,
      stream: withMessage(head.stream!, place),
    })
    if (mark.kind === 'point' && isSettled) this.head.names = { name: mark.name, moment: this.head }
  }

  #beginStream(): void {
    const epoch = this.head.stream?.epoch ?? 0
    const before = this.head.stream
    const continues = this.random.chance(0.6)
    const earlier = continues && before !== undefined ? [...before.earlier, before].slice(-16) : []
    const stream: ModelStream = {
      ...{ stream: `stream ${this.#stamp++}`, epoch, sequence: 0, since: undefined },
      earlier: earlier.map(({ stream, sequence }) => ({ stream, sequence })),
    }
    this.journal.beginStream(stream.stream, epoch, 'agent', continues)
    this.#take(this.head.position + 1, { stream })
  }

  #declare(volume: VolumeInfo): void {
    const { head } = this
    this.journal.declareVolume(volume)
    const cells = new Uint32Array(volume.size / cellSize)
    cells.set(head.contents.get(volume.number) ?? [])
    this.#take(head.position + 1, {
      volumes: new Map(head.volumes).set(volume.number, volume),
      contents: new Map(head.contents).set(volume.number, cells),
    })
  }

  #grow(): void {
    const { random, head } = this
    const largest = { number: 9, name: 'c', size: 4500 * cellSize }
    const volume = this.large && !head.volumes.has(9) ? largest : random.pick([...head.volumes.values()])
    this.#declare({ ...volume, size: volume.size + (1 + random.int(5)) * cellSize })
  }

  #rewind(moment: Moment): void {
    this.journal.rewind(moment.position)
    const position = this.head.position + 1
    this.#take(position, {
      ...moment,
      before: this.head,
      parent: moment,
      isOffered: true,
      isSettled: true,
      names: undefined,
      written: undefined,
    })
  }

  #name(moment: Moment): void {
    const name = `n${this.random.int(8)}`
    this.journal.namePoint(name, moment.position)
    this.#take(this.head.position + 1, { names: { name, moment } })
  }

  async #pin(moment: Moment): Promise<void> {
    this.pinned.push({ view: await this.journal.view(moment.position), moment })
  }

  async #keep(name: string | undefined): Promise<void> {
    if (name === undefined) return
    if (this.random.chance(0.5)) {
      this.kept.delete(name)
      await this.journal.releasePoint(name)
    } else {
      await this.journal.keepPoint(name)
      this.kept.add(name)
    }
  }

  #unpinAll(): void {
    for (const { view } of this.pinned.splice(0)) view.close()
  }

  #commit(): void {
    const { head } = this
    const commit = this.journal.commit().then(
      ({ position }) => {
        // something may have been lost before it was called
        for (const one of recordsBefore(head)) {
          if (one.position !== position) continue
          if (isBehind(one, this.acknowledged)) this.#acknowledge(one)
          return
        }
      },
      async error => {
        await this.#takeFull(error)
        this.#loseTail()
      },
    )
    this.#commits.push(commit)
  }

  #acknowledge(moment: Moment): void {
    this.acknowledged = moment
    // lost ones may still be on the disk, until something else is acknowledged in their place
    this.appended = this.appended.filter(one => isBehind(one, moment) && one !== moment)
  }

  /** Anything but a full journal is a failure. */
  async #takeFull(error: unknown): Promise<void> {
    if (Object(error).code !== 'full') throw error
  }

  /** What was not durable is not there any more. */
  #loseTail(): void {
    const { position } = this.journal.last
    while (this.head.position > position) this.head = this.head.before!
  }
}
