import type { Interruption } from '../command-line/interruption.js'
import type { Io } from '../command-line/io.js'
import { jsonLine } from '../command-line/json-line.js'
import { NewestLine } from '../command-line/newest-line.js'

/** What is served, and says how it is. */
export interface Served<Status extends object> {
  readonly status: Status
  onChange(listener: () => void): () => void
}

/** How often it is looked at besides: what only time changes tells nobody. In milliseconds. */
const interval = 1000

/**
 * Waits for a signal; a line says whenever something has changed that is more than a number. No reader of the lines holds anything up.
 *
 * @param textOf the line, without what only counts
 * @param interruption the signal, which may have come already
 */
export async function sayChanges<Status extends object>(
  io: Io,
  { signal }: Interruption,
  served: Served<Status>,
  { json, textOf }: { json: boolean; textOf(status: Status): string },
): Promise<void> {
  const lines = new NewestLine(line => io.writeLater(line))
  let before: string | undefined
  let isDue = false
  const say = () => {
    isDue = false
    const { status } = served
    const now = textOf(status)
    if (now === before) return
    before = now
    lines.put(json ? jsonLine(status) : `${now}\n`)
  }
  const saySoon = () => {
    if (isDue) return
    isDue = true
    setImmediate(say)
  }
  const stop = served.onChange(saySoon)
  const timer = setInterval(saySoon, interval)
  say()
  if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  clearInterval(timer)
  stop()
}
