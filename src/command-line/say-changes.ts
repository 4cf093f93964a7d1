import type { LogLevel } from '../service/log-level.js'
import type { Service } from '../service/service.js'
import type { Interruption } from './interruption.js'
import type { LogLines } from './log-lines.js'

/** What is served, and says how it is. */
export interface Served<Status extends object> {
  readonly status: Status
  onChange(listener: () => void): () => void
}

export interface Saying<Status> {
  lines: LogLines
  service: Service
  /** The line, without what only counts: where it is another one, that is said. */
  textOf(status: Status): string
  /** The line as it is said; `textOf` by default. */
  lineOf?(status: Status): string
  levelOf(status: Status): LogLevel
}

/** How often it is looked at besides: what only time changes tells nobody. In milliseconds. */
const interval = 1000

/**
 * Serves until a signal comes, and says so: a line, and the manager's status, whenever something has changed that is more than a number. No
 * reader of the lines holds anything up.
 *
 * @param interruption the signal, which may have come already; or what else ends it
 */
export async function sayChanges<Status extends object>(
  { signal }: Pick<Interruption, 'signal'>,
  served: Served<Status>,
  { lines, service, textOf, lineOf = textOf, levelOf }: Saying<Status>,
): Promise<void> {
  let before: string | undefined
  let isDue = false
  const say = () => {
    isDue = false
    const { status } = served
    const now = textOf(status)
    if (now === before) return
    before = now
    const text = lineOf(status)
    lines.state({ level: levelOf(status), event: 'status', text, fields: status })
    service.status(text)
  }
  const saySoon = () => {
    if (isDue) return
    isDue = true
    setImmediate(say)
  }
  const stop = served.onChange(saySoon)
  const timer = setInterval(saySoon, interval)
  say()
  service.ready()
  if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  service.stopping()
  clearInterval(timer)
  stop()
}
