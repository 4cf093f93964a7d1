import type { NbdExport } from '../../nbd/nbd-export.js'
import type { TakenPoint } from '../agent/taken-point.js'
import type { CycleEvent, CycleOutcome } from '../cycles/cycle-outcome.js'
import { CycleRunner } from '../cycles/cycle-runner.js'
import { scheduleCycles } from '../cycles/cycle-schedule.js'
import { ReplicationError } from '../replication-error.js'
import { CycleSink } from './cycle-sink.js'
import type { Protection, ProtectionOptions } from './protection.js'

/** Cycles by the clock. */
export class CycleProtection implements Protection {
  readonly #options: ProtectionOptions
  readonly #target: CycleSink
  readonly #runner: CycleRunner
  readonly #schedule: Disposable
  #current: Promise<unknown> | undefined
  /** Much may have to be made up for: then a cycle may take longer than the deadline, which is for each write of the guest's all the same. */
  #isBehind = true
  /** A cycle waits until the hub has all that was sent: a hub that is slow to take it would hold up the guest with more. */
  #isDue = false
  #isClosed = false

  private constructor(options: ProtectionOptions, target: CycleSink, runner: CycleRunner) {
    this.#options = options
    this.#target = target
    this.#runner = runner
    if (!options.isTrusted) runner.distrust()
    this.#schedule = scheduleCycles({ cycle: reason => this.#takeIfIdle(reason) }, options.every)
    void this.#takeIfIdle('the first cycle')
  }

  /** @throws ReplicationError not-found, wrong-state, qemu */
  static async open(options: ProtectionOptions): Promise<CycleProtection> {
    const { qemu, deadline, clock, changed, counts } = options
    const target = new CycleSink(options, () => clock.uptime())
    const onEvent = (event: CycleEvent) => {
      counts.event(event)
      changed()
    }
    const now = () => clock.now()
    const runner = await CycleRunner.attach({ ...qemu, target, limit: deadline, onEvent, now })
    return new CycleProtection(options, target, runner)
  }

  exports(name: string): NbdExport | undefined {
    return this.#runner.exports(name)
  }

  problem(volume: string): string | undefined {
    const problem = this.#runner.problems.find(one => one.blocks && one.volume === volume)
    return problem && `${problem.what}: ${problem.remedy}`
  }

  begun(isTrusted: boolean): void {
    if (!isTrusted) this.#runner.distrust()
    this.#isBehind = true
    void this.#takeIfIdle('another stream to the hub')
  }

  drained(): void {
    if (this.#isDue) void this.#takeIfIdle('a cycle that was due')
  }

  /** What is under way fails by itself. */
  lost(): void {}

  async point(name: string): Promise<TakenPoint> {
    while (this.#current !== undefined) await this.#current
    if (this.#isClosed || !this.#options.isReady()) throw noPoint('the hub takes nothing of this group now')
    const outcome = await this.#take(`the checkpoint ${name}`, name)
    const { point } = this.#target
    if (outcome.kind === 'settled' && point !== undefined) return point
    if (outcome.kind === 'blocked') {
      const [problem] = outcome.problems.filter(({ blocks }) => blocks)
      throw noPoint(`${problem?.what}: ${problem?.remedy}`)
    }
    throw noPoint('why' in outcome ? outcome.why : 'the cycle had no name')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#schedule[Symbol.dispose]()
    await this.#runner.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #takeIfIdle(reason?: string): Promise<void> {
    const { isReady, sink } = this.#options
    if (this.#current !== undefined || this.#isClosed || !isReady()) return
    if (sink.isDrained) await this.#take(reason, undefined)
    else this.#isDue = true
  }

  async #take(reason: string | undefined, name: string | undefined): Promise<CycleOutcome> {
    this.#isDue = false
    this.#target.name(name)
    const taken = this.#runner.cycle(reason, { mayTakeLong: this.#isBehind })
    const current = taken.catch(() => {})
    this.#current = current
    let outcome: CycleOutcome
    try {
      outcome = await taken
    } finally {
      if (this.#current === current) this.#current = undefined
    }
    if (outcome.kind === 'settled') this.#isBehind = false
    if (outcome.kind === 'failed' && !this.#isClosed) {
      this.#isBehind = true
      this.#options.progress.failed(outcome.why)
    }
    this.#options.changed()
    return outcome
  }
}

const noPoint = (why: string) => new ReplicationError('wrong-state', `no checkpoint can be taken: ${why}`)
