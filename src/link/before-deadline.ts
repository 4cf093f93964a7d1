import { deadline, type Over } from './deadline.js'
import type { Limits } from './limits.js'

/** Settles as `promise` does, or rejects with what `error` makes of the limit that was over first. */
export function beforeDeadline<Value>(
  promise: Promise<Value>,
  limits: Limits,
  error: (over: Over) => unknown,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const limit = deadline(limits, over => reject(error(over)))
    promise.then(resolve, reject).finally(() => limit[Symbol.dispose]())
  })
}
