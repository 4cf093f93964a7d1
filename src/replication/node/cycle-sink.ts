import type { BlockBackend } from '../../nbd/block-backend.js'
import type { TakenPoint } from '../agent/taken-point.js'
import type { CycleStart, CycleTarget } from '../cycles/cycle-target.js'
import { runBackend, type SinkParts, SinkRun } from './sink-run.js'

/** Cycles, as a stream to the hub. */
export class CycleSink implements CycleTarget {
  readonly #parts: SinkParts
  readonly #backends: ReadonlyMap<string, BlockBackend>
  readonly #uptime: () => number
  #run: SinkRun | undefined
  #began = 0
  /** What the cycle that comes next is called. */
  #name: string | undefined
  #point: TakenPoint | undefined

  constructor(parts: SinkParts, uptime: () => number) {
    this.#parts = parts
    this.#uptime = uptime
    const backend = (volume: (typeof parts.sink.copies)[number]) =>
      runBackend(
        () => this.#run,
        volume,
        bytes => parts.progress.came(volume.name, bytes),
      )
    this.#backends = new Map(parts.sink.copies.map(volume => [volume.name, backend(volume)]))
  }

  /** Gives a name to the cycle that comes next. */
  name(name: string | undefined): void {
    this.#name = name
    this.#point = undefined
  }

  /** The checkpoint that the last cycle is. */
  get point(): TakenPoint | undefined {
    return this.#point
  }

  begin(reason: string, start: CycleStart): void {
    this.#run = new SinkRun(this.#parts, reason)
    this.#began = this.#uptime()
    this.#parts.progress.began(start)
  }

  backend(volume: string): BlockBackend {
    return this.#backends.get(volume)!
  }

  async complete(time: number): Promise<void> {
    const { sink, progress } = this.#parts
    const run = this.#run
    run?.check()
    const settled = sink.settled(time)
    const named = this.#name === undefined ? undefined : sink.point(this.#name, time)
    const [, point] = await Promise.all([settled, named])
    run?.check()
    this.#point = point
    progress.settled(this.#began)
  }

  abort(): void {
    this.#run?.end()
  }
}
