import { type Deadline, deadline, type Over } from './deadline.js'
import type { Limits } from './limits.js'

/** Settles as `promise` does, or rejects with what `error` makes of the limit that was over first. */
export function beforeDeadline<Value>(
  promise: Promise<Value>,
  limits: Limits,
  error: (over: Over) => unknown,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let limit: Deadline | undefined
    // first, as a limit that is no limit throws
    promise.then(resolve, reject).finally(() => limit?.[Symbol.dispose]())
    limit = deadline(limits, over => reject(error(over)))
  })
}
