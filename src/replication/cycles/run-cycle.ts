import { beforeDeadline } from '../../link/before-deadline.js'
import { onAbort } from '../../link/on-abort.js'
import { queryStatus } from '../../qmp/commands/query-status.js'
import { type ReplicaHealth, reportWhy } from '../../qmp/replica-health.js'
import { runBackups } from './backups.js'
import { commandTimeout } from './command-timeout.js'
import { beginBitmaps, removeBegun, removeOlder, removeStale, type SentDisk } from './cycle-bitmaps.js'
import type { CycleLinks } from './cycle-links.js'
import type { CycleOptions } from './cycle-options.js'
import type { CycleOutcome } from './cycle-outcome.js'
import type { WholeVolume } from './cycle-target.js'
import { dropOwnNodes } from './leftovers.js'
import { cutOff } from './monitors.js'
import { backupJob } from './names.js'
import { usualTimer } from './timer.js'

export interface CycleWork {
  options: CycleOptions
  links: CycleLinks
  health: ReplicaHealth
  cycle: number
  reason: string
  /** Whether only the single request is limited, as for a disk that is sent whole. */
  mayTakeLong: boolean
  /** Before the disks were looked at, in microseconds since 1970. */
  lookedAt: number
  disks: readonly SentDisk[]
  /** The protection ends. */
  signal: AbortSignal
  now: () => number
}

type Failed = CycleOutcome & { kind: 'failed' }
type Settled = CycleOutcome & { kind: 'settled' }

/** One cycle, from the plan on. What a failed one has begun is undone. */
export async function runCycle(work: CycleWork): Promise<Settled | Failed> {
  const { options, links, cycle, reason, disks, lookedAt } = work
  const { target, onEvent } = options
  let step: Failed['step'] = 'bitmaps'
  let hasBegun = false
  try {
    await removeStale(options, disks)
    const whole = disks.flatMap(({ volume, whole }): WholeVolume[] =>
      whole === undefined ? [] : [{ volume, reason: whole }],
    )
    const due = disks.map(({ volume, base }) => ({ volume, bytes: base?.count ?? target.backend(volume).size }))
    const idle = idleSince(disks)
    step = 'target'
    if (idle === undefined) for (const { volume } of disks) await links.open(options, volume, target.backend(volume))
    hasBegun = true
    target.begin(reason, { cycle, whole, due })
    onEvent?.({ type: 'begun', cycle, whole })
    step = 'copy'
    const start = performance.now()
    let time = lookedAt
    if (idle === undefined) {
      time = work.now()
      await copy(work)
    }
    const bytes = links.end()
    const copied = performance.now()
    onEvent?.({ type: 'copied', cycle, bytes })
    step = 'hub'
    await beforeDeadline(target.complete(time), { signal: work.signal }, () => work.signal.reason)
    hasBegun = false
    const held = idle ?? cycle
    await options.keep?.(held)
    const took = { copy: copied - start, hub: performance.now() - copied }
    return {
      kind: 'settled',
      cycle,
      held,
      time,
      bytes,
      whole,
      took,
      left: idle === undefined ? await removeOlder(options, disks) : [],
    }
  } catch (error) {
    const why = (error as Error).message
    if (hasBegun) target.abort(why)
    const left = await undo(work, step)
    return { kind: 'failed', cycle, step, why, left }
  }
}

/** The cycle of which nothing is lacking, as nothing was written since. */
function idleSince(disks: readonly SentDisk[]): number | undefined {
  const cycles = new Set(disks.map(({ base }) => (base?.count === 0 ? base.cycle : undefined)))
  return cycles.size === 1 ? [...cycles][0] : undefined
}

/** Begins the bitmaps and the backups in one moment, and waits until all is at the target. */
async function copy({ options, links, health, cycle, disks, mayTakeLong, signal }: CycleWork): Promise<void> {
  const { qmp, group, limit, stallLimit = limit, timer = usualTimer, onEvent } = options
  const nodes = disks.map(({ volume }) => links.of(volume)!)
  const failed = new AbortController()
  let cut: Error | undefined
  health.onBad = bad => {
    if (cut === undefined && nodes.some(({ link }) => link === bad.nodeName))
      failed.abort(new Error(`the target: ${reportWhy(bad)}`))
  }
  const cutLinks = () =>
    cutOff(
      options,
      nodes.map(({ link }) => link),
    )
  const end = (why: Error) => {
    cut ??= why
    cutLinks().then(
      () => failed.abort(why),
      error => failed.abort(new Error(`${why.message}; it could not be: ${error.message}`)),
    )
  }
  const tooLate = (why: Error) => {
    if (cut === undefined) onEvent?.({ type: 'cut', cycle, why: why.message })
    end(why)
  }
  links.onStall = () => tooLate(new Error(`the target did not answer within ${stallLimit} ms, and was cut off`))
  // the guest waits, also where this process is late: no time is given back to it
  const isLong = mayTakeLong || disks.some(({ whole }) => whole !== undefined)
  const stopTimer = isLong
    ? () => {}
    : timer(limit, () => tooLate(new Error(`the copy was not done within ${limit} ms, and was cut off`)))
  const unlisten = onAbort(signal, () => end(signal.reason))
  try {
    signal.throwIfAborted()
    links.begin()
    const backups = disks.map(({ volume, node, base }, index) => ({
      job: backupJob(group, volume),
      node,
      target: nodes[index]!.target,
      bitmap: base?.name,
    }))
    await runBackups(qmp, { actions: beginBitmaps(options, cycle, disks), backups, signal: failed.signal })
    // what a link failed in is told before this is answered
    await qmp.run(queryStatus, undefined, { timeout: commandTimeout })
    failed.signal.throwIfAborted()
    if (health.lost) throw health.lost
  } finally {
    stopTimer()
    unlisten()
    health.onBad = undefined
    links.onStall = undefined
  }
}

/** Takes away what a cycle that failed has begun. The bitmaps before it stay: they have all that it had. */
async function undo({ options, links, disks, cycle }: CycleWork, step: Failed['step']): Promise<string[]> {
  const left: string[] = []
  if (step !== 'hub') {
    links.shut()
    left.push(...(await dropOwnNodes(options)))
  }
  if (step === 'bitmaps' || step === 'target') return left
  return [...left, ...(await removeBegun(options, cycle, disks))]
}
