import { checkMethods, checkObject, checkSignal, checkTimeout, outOfRange, wrongType } from '../../check-argument.js'
import type { CheckpointDevices } from '../../checkpoint/checkpoint-devices.js'
import { EventQueue } from '../../link/event-queue.js'
import { longestTimeout } from '../../link/limits.js'
import { pause } from './pause.js'
import type { RemusEnd, RemusEpoch, RemusHooks, RemusStep } from './remus-hooks.js'

export interface RemusSessionOptions {
  /** Disks that are set up (`setUpCheckpoints`). The session tears them down, on every path. */
  devices: CheckpointDevices
  hooks: RemusHooks
  /** Between two epochs, in milliseconds, 24 days at most. libxl's 200 by default. */
  interval?: number | undefined
  /** For each step of the disks, in milliseconds; without it, indefinitely. */
  stepTimeout?: number | undefined
  /** Breaks off, also in an epoch: that epoch does not count. A guest that stands still is resumed all the same. */
  signal?: AbortSignal | undefined
}

/**
 * A guest under Remus, in libxl's order: suspend, postsuspend, copyMemory, preresume, resume, sendCheckpoint, commit, the interval,
 * again. The first failure ends it: a guest that may stand still is resumed, once, and all disks are torn down.
 */
export class RemusSession {
  readonly #options: RemusSessionOptions
  readonly #stopped = new AbortController()
  readonly #epochs = new EventQueue<RemusEpoch>({ merged: () => this.#last! })
  #last: RemusEpoch | undefined
  #guest: RemusEnd['guest'] = 'running'
  #step: RemusStep = 'suspend'
  #ended: Promise<RemusEnd> | undefined

  constructor(options: RemusSessionOptions) {
    checkObject('options', options)
    checkMethods('devices', options.devices, ['postsuspend', 'preresume', 'commit', 'teardown'], 'checkpoint devices')
    checkMethods('hooks', options.hooks, ['suspend', 'resume'], 'the hooks of a guest')
    checkInterval(options.interval)
    checkTimeout('stepTimeout', options.stepTimeout)
    checkSignal(options.signal)
    this.#options = options
  }

  /** Each epoch that is committed; the latest stands for those that nobody read in time. Ends with the session. */
  get epochs(): AsyncIterableIterator<RemusEpoch, undefined, undefined> {
    return this.#epochs
  }

  /** Protects the guest until `stop`, the signal or a failure. Never rejects: how it ended is data. */
  start(): Promise<RemusEnd> {
    this.#ended ??= this.#protect()
    return this.#ended
  }

  /** Ends protection after the epoch that is on its way. */
  stop(): Promise<RemusEnd> {
    this.#stopped.abort()
    return this.start()
  }

  async #protect(): Promise<RemusEnd> {
    const { devices, interval = 200, signal = neverAborted() } = this.#options
    const either = AbortSignal.any([signal, this.#stopped.signal])
    const end: RemusEnd = { reason: 'stopped', committed: 0, guest: 'running' }
    for (let epoch = 1; !either.aborted; epoch++) {
      try {
        this.#last = await this.#epoch(epoch, signal)
      } catch (thrown) {
        end.reason = 'failed'
        end.failure = { step: this.#step, epoch, error: asError(thrown) }
        break
      }
      end.committed = epoch
      this.#epochs.push(this.#last)
      await pause(interval, either)
    }
    if (this.#guest !== 'running') end.resumeError = await this.#resumeAfterFailure()
    end.teardownError = await devices.teardown({ goesOn: this.#guest === 'running' }).then(() => undefined, asError)
    end.guest = this.#guest
    this.#epochs.end()
    return end
  }

  async #epoch(epoch: number, signal: AbortSignal): Promise<RemusEpoch> {
    const { devices, hooks, stepTimeout: timeout } = this.#options
    const step = async (name: RemusStep, work: () => Promise<void> | undefined): Promise<number> => {
      this.#step = name
      // a guest that stands still goes on, whoever wants no more of the session
      if (name !== 'resume') signal.throwIfAborted()
      const begun = performance.now()
      await work()
      return performance.now() - begun
    }
    const options = { signal }
    const limits = { signal, timeout }
    const begun = performance.now()
    await step('suspend', () => {
      this.#guest = 'unknown'
      return hooks.suspend(options)
    })
    this.#guest = 'suspended'
    await step('postsuspend', () => devices.postsuspend(limits))
    await step('copyMemory', () => hooks.copyMemory?.(options))
    const waited = await step('preresume', () => devices.preresume(limits))
    await step('resume', () => hooks.resume({ signal: neverAborted() }))
    this.#guest = 'running'
    const pauseTime = performance.now() - begun
    await step('sendCheckpoint', () => hooks.sendCheckpoint?.(options))
    const committing = await step('commit', () => devices.commit(limits))
    return { epoch, pauseTime, ackTime: waited + committing }
  }

  /** A resume that failed is not tried again. */
  async #resumeAfterFailure(): Promise<Error | undefined> {
    if (this.#step === 'resume') return undefined
    try {
      await this.#options.hooks.resume({ signal: neverAborted() })
      this.#guest = 'running'
      return undefined
    } catch (error) {
      return asError(error)
    }
  }
}

/** A timer that counts to more is over at once. */
function checkInterval(interval: unknown): void {
  if (interval === undefined) return
  const expected = `a number of milliseconds up to ${longestTimeout}`
  if (typeof interval !== 'number') throw wrongType('interval', expected, interval)
  if (!(interval >= 0 && interval <= longestTimeout)) throw outOfRange('interval', expected, interval)
}

const neverAborted = (): AbortSignal => new AbortController().signal

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))
