import {
  checkArray,
  checkFlag,
  checkFunction,
  checkLimits,
  checkMethods,
  checkObject,
  checkText,
  checkTimeout,
} from '../check-argument.js'
import { beforeDeadline } from '../link/before-deadline.js'
import type { Limits } from '../link/limits.js'
import { LinkError } from '../link/link-error.js'
import { printable } from '../printable.js'
import { CheckpointError, type CheckpointFailure } from './checkpoint-error.js'
import type { CheckpointDevice, CheckpointKind, CheckpointStep, StepOptions } from './checkpoint-kind.js'

/** How long all may take to be torn down, in milliseconds, where the caller says nothing. */
const teardownTimeout = 30_000

export interface SetUpOptions<Disk> extends Limits {
  /** What a disk is called in messages. */
  nameOf: (disk: Disk) => string
  /** How long a teardown may take, in milliseconds. 30 s by default. */
  teardownTimeout?: number | undefined
}

interface Member {
  index: number
  disk: string
  device: CheckpointDevice
  /** Its last step, until that is through; it does not fail. */
  running?: Promise<void>
}

type Step = Exclude<CheckpointStep, 'match' | 'setup' | 'teardown'>

/** Which step may follow which: a checkpoint is postsuspend, preresume, commit. */
const follows: Readonly<Record<Step, readonly (Step | 'setup')[]>> = {
  postsuspend: ['setup', 'commit'],
  preresume: ['postsuspend'],
  commit: ['preresume'],
}

/**
 * Disks that are under checkpoints together (libxl's `libxl__checkpoint_devices_*`). Whoever has it tears it down: `await using`
 * does at the end of its block.
 */
export class CheckpointDevices implements AsyncDisposable {
  readonly #members: readonly Member[]
  readonly #teardownTimeout: number
  #last: Step | 'setup' | 'failed' = 'setup'
  #tornDown: Promise<void> | undefined

  /** @internal */
  constructor(members: readonly Member[], teardownTimeout: number) {
    this.#members = members
    this.#teardownTimeout = teardownTimeout
  }

  postsuspend(limits?: Limits): Promise<void> {
    return this.#step('postsuspend', limits)
  }

  preresume(limits?: Limits): Promise<void> {
    return this.#step('preresume', limits)
  }

  commit(limits?: Limits): Promise<void> {
    return this.#step('commit', limits)
  }

  /**
   * Ends replication of all disks, also in the middle of a checkpoint; once, however often it is called.
   *
   * @param goesOn whether the guest is known to go on here without checkpoints; false by default
   * @throws CheckpointError step-failed, with those that were left as they are
   */
  teardown({ goesOn = false }: { goesOn?: boolean | undefined } = {}): Promise<void> {
    checkFlag('goesOn', goesOn)
    this.#tornDown ??= tearDown(this.#members, this.#teardownTimeout, goesOn).then(left => {
      if (left.length > 0)
        throw new CheckpointError('step-failed', sentence('teardown', left), { step: 'teardown', failures: left, left })
    })
    return this.#tornDown
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.teardown()
  }

  /** @throws CheckpointError step-failed where it failed for any disk, after which only `teardown` is left; wrong-order */
  async #step(step: Step, limits: Limits = {}): Promise<void> {
    checkLimits(limits)
    checkTimeout('timeout', limits.timeout)
    const last = this.#tornDown === undefined ? this.#last : 'teardown'
    if (!(follows[step] as readonly string[]).includes(last)) {
      const after = last === 'failed' ? 'a step that failed' : last
      throw new CheckpointError('wrong-order', `${step} cannot follow ${after}`, { step })
    }
    // what comes meanwhile is refused
    this.#last = 'failed'
    const failures = await stepAll(this.#members, limits, step)
    if (failures.length > 0) throw new CheckpointError('step-failed', sentence(step, failures), { step, failures })
    this.#last = step
  }
}

/**
 * Puts disks under checkpoints. Each is offered to the kinds in their order; the first that takes it has it. All are set up at
 * once, or none is: where one fails, all that a kind took are torn down, and their guest goes on.
 *
 * @throws CheckpointError no-kind with what each kind answered, before anything is set up; step-failed
 */
export async function setUpCheckpoints<Disk>(
  disks: readonly Disk[],
  kinds: readonly CheckpointKind<Disk>[],
  options: SetUpOptions<Disk>,
): Promise<CheckpointDevices> {
  check(disks, kinds, options)
  const timeout = options.teardownTimeout ?? teardownTimeout
  const members = await matchAll(disks, kinds, options, timeout)
  const failures = await stepAll(members, options, 'setup')
  if (failures.length === 0) return new CheckpointDevices(members, timeout)
  // the guest was never suspended
  const left = await tearDown(members, timeout, true)
  throw new CheckpointError('step-failed', sentence('setup', failures), { step: 'setup', failures, left })
}

function check(disks: unknown, kinds: unknown, options: SetUpOptions<never>): void {
  checkArray('disks', disks, 'disks')
  checkArray('kinds', kinds, 'kinds')
  for (const [index, kind] of (kinds as unknown[]).entries()) checkMethods(`kinds[${index}]`, kind, ['match'], 'a kind')
  checkObject('options', options)
  checkFunction('nameOf', options.nameOf)
  checkLimits(options)
  checkTimeout('timeout', options.timeout)
  checkTimeout('teardownTimeout', options.teardownTimeout)
}

async function matchAll<Disk>(
  disks: readonly Disk[],
  kinds: readonly CheckpointKind<Disk>[],
  { nameOf, ...limits }: SetUpOptions<Disk>,
  timeout: number,
): Promise<Member[]> {
  const offers = disks.map((given, index) => {
    const name = nameOf(given)
    checkText('the name of a disk', name)
    return { index, disk: printable(name), given }
  })
  const members: Member[] = []
  const failures = await forAll(offers, limits, async ({ index, disk, given }, options) => {
    const answers: string[] = []
    for (const kind of kinds) {
      const answer = await kind.match(given, options)
      if ('device' in answer) {
        const member = { index, disk, device: answer.device }
        // too late for who waited for it
        if (options.signal.aborted) await tearDown([member], timeout, true)
        else members.push(member)
        return
      }
      answers.push(`${kind.name}: ${printable(answer.mismatch)}`)
    }
    throw new NoKind(answers.length === 0 ? 'there is no kind to ask' : answers.join('; '))
  })
  if (failures.length > 0) {
    const code = failures.some(({ error }) => error instanceof NoKind) ? 'no-kind' : 'step-failed'
    // what a kind took may hold a connection
    const left = await tearDown(members, timeout, true)
    throw new CheckpointError(code, sentence('match', failures), { step: 'match', failures, left })
  }
  return members.sort((a, b) => a.index - b.index)
}

/** No kind takes a disk: what each said. */
class NoKind extends Error {}

/** Each once its last step is through, which may still be on its way where its time was up. @returns those that failed */
function tearDown(members: readonly Member[], timeout: number, goesOn: boolean): Promise<CheckpointFailure[]> {
  return forAll(members, { timeout }, async ({ device, running }, options) => {
    await running
    await device.teardown({ ...options, goesOn })
  })
}

/** Has all members do a step, and remembers for each that it is doing it. */
const stepAll = (members: readonly Member[], limits: Limits, step: 'setup' | Step): Promise<CheckpointFailure[]> =>
  forAll(members, limits, async (member, options) => {
    const work = member.device[step](options)
    member.running = work.catch(() => {})
    await work
  })

/** Does a thing for all at once, and waits for all; those that take too long have failed. */
async function forAll<One extends { index: number; disk: string }>(
  all: readonly One[],
  { signal, timeout }: Limits,
  work: (one: One, options: StepOptions) => Promise<void>,
): Promise<CheckpointFailure[]> {
  const failures: CheckpointFailure[] = []
  const over = new AbortController()
  const one = async (member: One): Promise<void> => {
    const { index, disk } = member
    try {
      await beforeDeadline(work(member, { signal: over.signal }), { signal, timeout }, ({ code, why, cause }) => {
        over.abort(new LinkError(code, why, { cause }))
        return over.signal.reason
      })
    } catch (error) {
      failures.push({ index, disk, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  await Promise.all(all.map(one))
  return failures.sort((a, b) => a.index - b.index)
}

function sentence(step: CheckpointStep, failures: readonly CheckpointFailure[]): string {
  const what = step === 'match' ? 'cannot be put under checkpoints' : `failed in ${step}`
  return failures.map(({ disk, error }) => `${disk} ${what}: ${error.message}`).join('\n')
}
