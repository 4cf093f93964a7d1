import { ColoError, type ColoErrorCode } from '../colo/colo-error.js'
import type { exitStatuses } from './exit-status.js'

/** Why the command does not do what it is asked to, and how it exits then. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: keyof typeof exitStatuses

  constructor(status: keyof typeof exitStatuses, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** What is refused by what was seen, before anything was changed. */
const refusals: ReadonlySet<ColoErrorCode> = new Set([
  ...(['not-a-colo-disk', 'wrong-state', 'size-differs', 'split-brain', 'server-in-use', 'overlay'] as const),
])

/** With the exit status that an error of COLO's has; any other error as it is. */
export function withStatus(error: unknown): unknown {
  if (!(error instanceof ColoError)) return error
  const { code, message } = error
  if (code === 'old-epoch') return new Refusal('oldEpoch', message, { cause: error })
  if (code === 'not-promotable') return new Refusal('notPromotable', message, { cause: error })
  return refusals.has(code) ? new Refusal('refused', message, { cause: error }) : error
}
