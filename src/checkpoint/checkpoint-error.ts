import { XenlightError } from '../xenlight-error.js'
import type { CheckpointStep } from './checkpoint-kind.js'

/**
 * Why checkpoints fail: `no-kind` no kind takes a disk, `step-failed` a step failed for some disks (`step`), `wrong-order` a step
 * was asked for that does not follow the one before.
 */
export const checkpointErrorCodes = ['no-kind', 'step-failed', 'wrong-order'] as const

export type CheckpointErrorCode = (typeof checkpointErrorCodes)[number]

/** That one disk failed. */
export interface CheckpointFailure {
  /** The disk, by its place in the list. */
  index: number
  /** What it is called. */
  disk: string
  error: Error
}

export interface CheckpointErrorDetails {
  step: CheckpointStep
  failures?: readonly CheckpointFailure[] | undefined
  left?: readonly CheckpointFailure[] | undefined
}

/** That disks cannot be put under checkpoints, or a step of one failed. */
export class CheckpointError extends XenlightError {
  override readonly name = 'CheckpointError'
  readonly code: CheckpointErrorCode
  /** What was being done. */
  readonly step: CheckpointStep
  /** The disks that failed, and why. */
  readonly failures: readonly CheckpointFailure[]
  /** The disks that a kind took and that could not be torn down again: they are as their error says. */
  readonly left: readonly CheckpointFailure[]

  constructor(code: CheckpointErrorCode, message: string, { step, failures = [], left = [] }: CheckpointErrorDetails) {
    super(message, failures.length === 0 ? undefined : { cause: failures[0]!.error })
    this.code = code
    this.step = step
    this.failures = failures
    this.left = left
  }
}
