import type { BlockBackend } from '../../nbd/block-backend.js'
import type { CycleStart } from '../cycles/cycle-target.js'
import type { LiveTarget } from '../cycles/live-target.js'
import { runBackend, type SinkParts, SinkRun } from './sink-run.js'

/** The guest's writes, as a stream to the hub. */
export class LiveSink implements LiveTarget {
  readonly #parts: SinkParts
  readonly #uptime: () => number
  readonly #live: ReadonlyMap<string, BlockBackend>
  readonly #backfill: ReadonlyMap<string, BlockBackend>
  #run: SinkRun | undefined

  constructor(parts: SinkParts, uptime: () => number) {
    const { sink, progress } = parts
    this.#parts = parts
    this.#uptime = uptime
    const run = () => this.#run
    this.#live = new Map(sink.volumes.map(volume => [volume.name, runBackend(run, volume)]))
    this.#backfill = new Map(
      sink.copies.map(volume => [volume.name, runBackend(run, volume, bytes => progress.came(volume.name, bytes))]),
    )
  }

  unsettled(reason: string, start: CycleStart): void {
    this.#run = new SinkRun(this.#parts, reason)
    this.#parts.progress.began(start)
    this.#parts.changed()
  }

  live(volume: string): BlockBackend {
    return this.#live.get(volume)!
  }

  backfill(volume: string): BlockBackend {
    return this.#backfill.get(volume)!
  }

  async settled(): Promise<void> {
    const { sink, progress } = this.#parts
    const run = this.#run
    run?.check()
    const moment = this.#uptime()
    await sink.settled()
    run?.check()
    progress.settled(moment)
  }

  async durable(): Promise<void> {
    const run = this.#run
    run?.check()
    await this.#parts.sink.flush()
    run?.check()
  }

  lost(reason: string): void {
    const { sink, progress } = this.#parts
    if (progress.isSettled) progress.unsettled('failed-copy', sink.stream.since ?? this.#uptime())
    if (this.#run?.isOver === false) sink.unsettled(reason)
    this.#run?.end()
  }
}
