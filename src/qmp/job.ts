import {
  checkFunction,
  checkInteger,
  checkLimits,
  checkMethods,
  checkObject,
  checkText,
  checkTimeout,
  checkWord,
} from '../check-argument.js'
import { deadline, type Over } from '../link/deadline.js'
import { type Limits, longestTimeout } from '../link/limits.js'
import { printable } from '../printable.js'
import { type QmpCommand, takes } from './command.js'
import { type Job, queryJobs } from './commands/query-jobs.js'
import type { Qmp, QmpEvents } from './qmp.js'
import { QmpError } from './qmp-error.js'
import { nothing } from './reply.js'

const jobDismiss = { name: 'job-dismiss', takes: takes<{ id: string }>(), reply: nothing } satisfies QmpCommand
const jobFinalize = { name: 'job-finalize', takes: takes<{ id: string }>(), reply: nothing } satisfies QmpCommand
const jobCancel = { name: 'job-cancel', takes: takes<{ id: string }>(), reply: nothing } satisfies QmpCommand

/** How far a job is. */
export type JobProgress = Pick<Job, 'status' | 'current' | 'total'>

export interface JobOptions extends Limits {
  /** The job's id, as its command gives it. */
  id: string
  /** Sends the command that starts it. */
  start: () => Promise<unknown>
  /** What is waited for: its end, or that it is ready and only keeps up with the guest (a mirror). */
  until?: 'concluded' | 'ready' | undefined
  /** Hears how far it is, about every `every` milliseconds. */
  onProgress?: ((progress: JobProgress) => void) | undefined
  /** 500 by default. */
  every?: number | undefined
}

const names = ['JOB_STATUS_CHANGE', 'BLOCK_JOB_PENDING', 'BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED']
/** How long a cancelled job may take to end, in milliseconds. */
const cancelTimeout = 10_000

/**
 * Starts a job and waits for it. What it reports is listened to before the command is sent, so that nothing is missed. A job
 * that waits to be finalized is, and one that concludes is dismissed. Where the time is up, or the signal aborted, it is cancelled.
 *
 * @throws QmpError job-failed with QEMU's reason; job-cancelled where somebody else cancelled it; ETIMEDOUT, ECANCELED, whose
 * message says if the job may still run; what `start` throws
 */
export async function runJob(qmp: Qmp, options: JobOptions): Promise<void> {
  check(qmp, options)
  const { id, start, until = 'concluded', onProgress, every = 500, signal, timeout } = options
  using events = qmp.events({ names, capacity: 4096 })
  await start()
  let over: Over | undefined
  using _ = deadline({ signal, timeout }, why => {
    over = why
    events[Symbol.dispose]()
  })
  const timer = onProgress && setInterval(() => report(qmp, id, onProgress), every)
  try {
    const outcome = await outcomeOf(qmp, events, { id, until })
    if (outcome !== undefined) return settle(id, outcome)
    if (over !== undefined) throw await cancelled(qmp, id, over)
  } finally {
    clearInterval(timer)
  }
}

function check(qmp: unknown, options: JobOptions): void {
  checkMethods('qmp', qmp, ['run', 'events'], 'a QMP connection')
  checkObject('options', options)
  checkLimits(options)
  checkText('id', options.id)
  checkFunction('start', options.start)
  if (options.until !== undefined) checkWord('until', options.until, ['concluded', 'ready'])
  if (options.onProgress !== undefined) checkFunction('onProgress', options.onProgress)
  if (options.every !== undefined) checkInteger('every', options.every, 1, longestTimeout)
  checkTimeout('timeout', options.timeout)
}

interface Outcome {
  error?: string | undefined
  isCancelled?: boolean
}

function settle(id: string, { error, isCancelled = false }: Outcome): void {
  const job = `the job ${printable(id)}`
  if (isCancelled) throw new QmpError('job-cancelled', `${job} was cancelled`)
  if (error !== undefined)
    throw new QmpError('job-failed', `${job} failed: ${printable(error)}`, { description: error })
}

/** Reads events until the job is as far as wanted; undefined where they end first. */
async function outcomeOf(
  qmp: Qmp,
  events: QmpEvents,
  { id, until }: { id: string; until: 'concluded' | 'ready' },
): Promise<Outcome | undefined> {
  const outcome: Outcome = {}
  let isAborting = false
  for await (const { name, data } of events) {
    const { device, error, id: changed, status } = data
    if (name === 'BLOCK_JOB_PENDING') {
      if (changed === id) await qmp.run(jobFinalize, { id })
      continue
    }
    if (name !== 'JOB_STATUS_CHANGE') {
      if (device !== id) continue
      if (name === 'BLOCK_JOB_CANCELLED') outcome.isCancelled = true
      else if (typeof error === 'string') outcome.error = error
      continue
    }
    if (changed !== id) continue
    if (status === 'aborting') isAborting = true
    if (status === 'ready' && until === 'ready') return outcome
    if (status === 'concluded' || status === 'null') {
      // it goes by itself, unless its command said auto-dismiss=false
      const job = status === 'concluded' ? await jobOf(qmp, id) : undefined
      if (job !== undefined) await qmp.run(jobDismiss, { id })
      outcome.error ??= job?.error ?? (isAborting ? 'QEMU gives no reason' : undefined)
      return outcome
    }
  }
  return undefined
}

const jobOf = async (qmp: Qmp, id: string): Promise<Job | undefined> =>
  (await qmp.run(queryJobs)).find(job => job.id === id)

/** A report that fails is left out: whatever ended the connection ends the waiting too. */
function report(qmp: Qmp, id: string, onProgress: (progress: JobProgress) => void): void {
  jobOf(qmp, id).then(
    job => job && onProgress({ status: job.status, current: job.current, total: job.total }),
    () => {},
  )
}

async function cancelled(qmp: Qmp, id: string, { code, why, cause }: Over): Promise<QmpError> {
  const job = `the job ${printable(id)}`
  using events = qmp.events({ names })
  using _ = deadline({ timeout: cancelTimeout }, () => events[Symbol.dispose]())
  let state = 'may still run'
  try {
    await qmp.run(jobCancel, { id }, { timeout: cancelTimeout })
    if ((await outcomeOf(qmp, events, { id, until: 'concluded' })) !== undefined) state = 'was cancelled'
  } catch (error) {
    if (error instanceof QmpError && error.errorClass === 'GenericError' && !(await isThere(qmp, id)))
      state = 'has ended'
  }
  return new QmpError(code, `${job}: ${why}; it ${state}`, { cause })
}

const isThere = (qmp: Qmp, id: string): Promise<boolean> =>
  jobOf(qmp, id).then(
    job => job !== undefined,
    () => true,
  )
