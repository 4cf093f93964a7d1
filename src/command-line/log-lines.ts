import { type LogLevel, withPriority } from '../service/log-level.js'
import type { Io } from './io.js'
import { jsonLine } from './json-line.js'
import { NewestLine } from './newest-line.js'

/** A line of a log, for people and for programs. */
export interface LogLine {
  level: LogLevel
  /** What kind of line it is; it stays. */
  event: string
  text: string
  /** What a program is told besides. */
  fields: object
}

/**
 * What a command that serves says while it does, on standard output, as JSON or as text; text to the system's journal has priorities. Nobody
 * waits for who reads it.
 */
export class LogLines {
  readonly #isJson: boolean
  readonly #isJournal: boolean
  readonly #lines: NewestLine

  constructor(io: Pick<Io, 'writeLater' | 'isJournal'>, { json }: { json: boolean }) {
    this.#isJson = json
    this.#isJournal = io.isJournal(1)
    this.#lines = new NewestLine(line => io.writeLater(line))
  }

  /** How all is now: of those for which the reader is too slow, the newest is said. */
  state(line: LogLine): void {
    this.#lines.put(this.#written(line))
  }

  /** Something happened. */
  happened(line: LogLine): void {
    this.#lines.add(this.#written(line))
  }

  #written({ level, event, text, fields }: LogLine): string {
    // what a field was before there was a log, it is
    if (this.#isJson) return jsonLine({ time: new Date().toISOString(), level, event, ...fields })
    return `${this.#isJournal ? withPriority(level, text) : text}\n`
  }
}
