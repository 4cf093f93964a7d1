import { isDeepStrictEqual } from 'node:util'
import type { NbdExport } from '../../nbd/nbd-export.js'
import { printable } from '../../printable.js'
import { ReplicaHealth } from '../../qmp/replica-health.js'
import { ReplicationError } from '../replication-error.js'
import { checkSize } from './check-size.js'
import type { SentDisk } from './cycle-bitmaps.js'
import { CycleLinks } from './cycle-links.js'
import { type CycleOptions, checkCycleOptions } from './cycle-options.js'
import type { CycleOutcome } from './cycle-outcome.js'
import { type DiskProblem, findProblems, type KnownDisk } from './disk-problem.js'
import { type DiskSight, lookAtDisks } from './disk-sight.js'
import { GroupLock } from './group-lock.js'
import { clearOwnNodes, dropOwnNodes } from './leftovers.js'
import { passesAll } from './monitors.js'
import { ownPrefix } from './names.js'
import { canPersist } from './persistence.js'
import { planDisk } from './plan-cycle.js'
import { runCycle } from './run-cycle.js'
import { takeOut } from './take-out.js'
import { usualTimer } from './timer.js'
import { watchDisks } from './watch-disks.js'

/**
 * Protects a guest's disks in a QEMU that runs already, by backups of what changed: a cycle brings a target to the state of all disks in one
 * moment. `planDisk` says which bitmap is used when, and why nothing is lost.
 */
export class CycleRunner implements AsyncDisposable {
  readonly #options: CycleOptions
  readonly #links: CycleLinks
  readonly #health: ReplicaHealth
  readonly #lock: GroupLock
  readonly #known = new Map<string, KnownDisk & { persistent: boolean }>()
  readonly #over = new AbortController()
  #held: number | undefined
  /** Another one each time. */
  #distrust: object | undefined
  /** The last number of a cycle: none is used twice. */
  #last: number
  #problems: readonly DiskProblem[] = []
  #isCycling = false
  #unwatch = () => {}

  private constructor(options: CycleOptions) {
    this.#options = options
    this.#held = options.held
    this.#last = options.held ?? 0
    const { group, address, limit, stallLimit = limit, timer = usualTimer } = options
    this.#links = new CycleLinks({ group, kind: 'backup', path: address.path, stallLimit, timer })
    this.#health = new ReplicaHealth(options.qmp)
    this.#lock = new GroupLock(group)
  }

  /**
   * Looks at the disks, and takes away what an agent that died has left of jobs and nodes; its bitmaps are used again.
   *
   * @throws ReplicationError not-found, wrong-state, qemu, bad-name; TypeError, RangeError for wrong options
   */
  static async attach(options: CycleOptions): Promise<CycleRunner> {
    checkCycleOptions(options)
    const runner = new CycleRunner(options)
    try {
      await runner.#lock.hold(() => runner.#attach())
    } catch (error) {
      await runner.close()
      throw error
    }
    return runner
  }

  /** What an NBD server at the address serves: it has to listen before the first cycle, and takes a connection for each disk. */
  readonly exports = (name: string): NbdExport | undefined => this.#links.exports(name)

  /** What stands against cycles, and what else was seen. */
  get problems(): readonly DiskProblem[] {
    return this.#problems
  }

  /** The cycle that the hub has for sure: its bitmaps mark all that it lacks. */
  get held(): number | undefined {
    return this.#held
  }

  /** Whether a volume's bitmaps outlive an orderly end of QEMU; otherwise they are in memory only. */
  keepsBitmaps(volume: string): boolean {
    return this.#known.get(volume)?.persistent ?? false
  }

  /** Whether the deadline passes whatever QEMU's monitor is busy with: without out-of-band commands it does not. */
  get hasSureDeadline(): boolean {
    return passesAll(this.#options)
  }

  /**
   * Brings the target to the state of the disks now. What fails is an outcome.
   *
   * @param mayTakeLong whether it has no `limit`, but that for a single request: where much is to be made up for
   */
  async cycle(reason = 'a cycle', { mayTakeLong = false } = {}): Promise<CycleOutcome> {
    const told = (outcome: CycleOutcome): CycleOutcome => {
      this.#options.onEvent?.({ type: 'outcome', outcome })
      return outcome
    }
    if (this.#isCycling) return told({ kind: 'skipped', why: 'the cycle before it is under way' })
    this.#isCycling = true
    try {
      return told(await this.#lock.hold(() => this.#cycle(reason, mayTakeLong)))
    } finally {
      this.#isCycling = false
    }
  }

  /** Looks at the disks. @throws ReplicationError qemu */
  inspect(): Promise<readonly DiskProblem[]> {
    return this.#lock.hold(async () => this.#judge(await this.#look()))
  }

  /** The hub does not hold what the bitmaps are the difference to: the next cycle sends all. */
  distrust(): void {
    this.#distrust = {}
    this.#held = undefined
  }

  /**
   * Takes the disks as they are now for those that are protected: after a snapshot, say. Of a disk that stands on another node all is sent.
   *
   * @throws ReplicationError wrong-state where a size does not fit; qemu
   */
  adopt(): Promise<void> {
    return this.#lock.hold(async () => {
      const sights = await this.#look()
      await this.#accept(sights)
      this.#judge(sights)
    })
  }

  /** Takes away all that is ours in QEMU, the bitmaps too. @returns what is left all the same, in sentences */
  async detach(): Promise<string[]> {
    this.#over.abort(new Error('the protection was taken away'))
    const left = await this.#lock.hold(() => {
      this.#links.shut()
      return takeOut(this.#options)
    })
    await this.close()
    return left
  }

  /** Ends it here; the bitmaps stay for the one who comes after. A cycle that is under way fails. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the agent has ended'))
    this.#unwatch()
    await this.#lock.hold(() => this.#dropNodes())
    this.#health[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #attach(): Promise<void> {
    const { qmp, group, disks } = this.#options
    await clearOwnNodes(this.#options)
    const sights = await this.#look()
    const problem = findProblems(sights, this.#known).find(({ blocks }) => blocks)
    if (problem !== undefined) {
      const { volume, code, what, remedy } = problem
      const isThere = code !== 'no-device'
      throw new ReplicationError(isThere ? 'wrong-state' : 'not-found', `${printable(volume)}: ${what}; ${remedy}`)
    }
    await this.#accept(sights)
    this.#judge(sights)
    const prefixes = disks.map(({ volume }) => ownPrefix(group, volume))
    this.#unwatch = watchDisks(qmp, prefixes, () => {
      // a cycle looks by itself
      if (!this.#isCycling && !this.#over.signal.aborted) this.inspect().catch(() => {})
    })
  }

  async #accept(sights: readonly DiskSight[]): Promise<void> {
    for (const { volume, node } of sights) {
      if (node === undefined) continue
      const { nodeName, virtualSize } = node
      const { size } = this.#options.target.backend(volume)
      checkSize(volume, virtualSize, size)
      const persistent = await canPersist(this.#options.qmp, nodeName)
      this.#known.set(volume, { node: nodeName, size, persistent })
    }
  }

  async #cycle(reason: string, mayTakeLong: boolean): Promise<CycleOutcome> {
    const { now = () => Date.now() * 1000 } = this.#options
    const lookedAt = now()
    let sights: DiskSight[]
    try {
      this.#over.signal.throwIfAborted()
      sights = await this.#look()
    } catch (error) {
      return { kind: 'failed', cycle: this.#last + 1, step: 'look', why: (error as Error).message, left: [] }
    }
    const problems = this.#judge(sights)
    if (problems.some(({ blocks }) => blocks)) return { kind: 'blocked', problems }
    const distrust = this.#distrust
    const disks = this.#plan(sights)
    this.#last = Math.max(this.#last, ...disks.map(({ largest }) => largest)) + 1
    const outcome = await runCycle({
      options: this.#options,
      links: this.#links,
      health: this.#health,
      cycle: this.#last,
      reason,
      mayTakeLong,
      lookedAt,
      disks,
      signal: this.#over.signal,
      now,
    })
    if (outcome.kind === 'settled' && this.#distrust === distrust) {
      this.#held = outcome.held
      this.#distrust = undefined
    }
    // what happened meanwhile is told now, and stands against the next one
    await this.#look().then(
      sights => this.#judge(sights),
      () => {},
    )
    return outcome
  }

  #plan(sights: readonly DiskSight[]): SentDisk[] {
    const knowledge = { held: this.#held, isDistrusted: this.#distrust !== undefined }
    return sights.map(({ volume, node }) => ({
      volume,
      node: node!.nodeName,
      persistent: this.keepsBitmaps(volume),
      ...planDisk(node!.bitmaps, this.#options, knowledge),
    }))
  }

  #judge(sights: readonly DiskSight[]): readonly DiskProblem[] {
    const problems = findProblems(sights, this.#known)
    if (!isDeepStrictEqual(problems, this.#problems)) {
      this.#problems = problems
      this.#options.onEvent?.({ type: 'problems', problems })
    }
    return problems
  }

  #look(): Promise<DiskSight[]> {
    return lookAtDisks(this.#options)
  }

  #dropNodes(): Promise<string[]> {
    this.#links.shut()
    return dropOwnNodes(this.#options)
  }
}
