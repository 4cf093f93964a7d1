import { type Deadline, deadline, type Over } from '../link/deadline.js'
import { type Limits, timeoutProblem } from '../link/limits.js'
import { XenstoreError } from './xenstore-error.js'

/** `deadline` for what callers of the client pass. @throws XenstoreError EINVAL where the timeout is no number of milliseconds */
export function limit(limits: Limits, over: (why: Over) => void): Deadline {
  const problem = timeoutProblem(limits.timeout)
  if (problem !== undefined) throw new XenstoreError('EINVAL', problem)
  return deadline(limits, over)
}
