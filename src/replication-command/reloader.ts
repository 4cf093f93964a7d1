import type { LogLines } from '../command-line/log-lines.js'
import { printable } from '../printable.js'
import { changedSettings, type GroupChanges } from '../replication/config/config-changes.js'
import { ConfigError } from '../replication/config/config-error.js'
import { ReplicationError } from '../replication/replication-error.js'
import type { Service } from '../service/service.js'

/** What became of a configuration that was read again. */
export interface Reloaded extends GroupChanges {
  /** Other settings that are other ones now. */
  settings: readonly string[]
  /** What could not be done with single groups. */
  problems: readonly string[]
}

export interface ReloaderOptions {
  /** The configuration's, for messages. */
  file: string
  lines: LogLines
  service: Service
  /** Reads the file, and does what it says, or nothing. @throws what is wrong */
  reload(): Promise<Reloaded>
}

/** Reads a configuration again whenever it is asked to, once at a time, and says what became of it. Never fails. */
export class Reloader {
  #options: ReloaderOptions | undefined
  #isDue = false
  #under: Promise<void> | undefined

  /** Reads it again as soon as what is served has begun, and no other reading is under way. */
  readonly ask = (): void => {
    this.#isDue = true
    this.#goOn()
  }

  /** What is served has begun. */
  begin(options: ReloaderOptions): void {
    this.#options = options
    this.#goOn()
  }

  /** Nothing is read any more. Settles when nothing is under way. */
  async end(): Promise<void> {
    this.#options = undefined
    await this.#under
  }

  #goOn(): void {
    if (this.#options === undefined || this.#under !== undefined || !this.#isDue) return
    this.#isDue = false
    this.#under = this.#once(this.#options).finally(() => {
      this.#under = undefined
      this.#goOn()
    })
  }

  async #once({ file, lines, service, reload }: ReloaderOptions): Promise<void> {
    service.reloading()
    try {
      const { added, removed, changed, settings, problems } = await reload()
      const parts = Object.entries({ added, removed, changed, settings, problems })
      const said = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${names.join(', ')}`)
      lines.happened({
        level: problems.length > 0 ? 'error' : 'info',
        event: 'reloaded',
        text: printable(`${file} was read again: ${said.join('; ') || 'nothing has changed'}`),
        fields: { file, added, removed, changed, settings, problems },
      })
    } catch (error) {
      const problems = problemsOf(error)
      lines.happened({
        level: 'error',
        event: 'reload-failed',
        text: [`${file} was read again, and is not used:`, ...problems].map(printable).join('\n'),
        fields: { file, problems },
      })
    }
    service.ready()
  }
}

/** @throws ReplicationError wrong-state where a setting differs that counts from a start on */
export function checkFixed<Config extends object>(
  before: Config,
  after: Config,
  fixed: readonly (keyof Config & string)[],
): void {
  const changed = changedSettings(before, after, fixed)
  if (changed.length === 0) return
  throw new ReplicationError('wrong-state', changed.map(name => `${name} has changed: restart to change it`).join('\n'))
}

function problemsOf(error: unknown): string[] {
  const message = error instanceof Error ? error.message : String(error)
  const isForeseen = error instanceof ConfigError || error instanceof ReplicationError || isOfSystem(error)
  return (isForeseen ? message : `internal error: ${message}`).split('\n')
}

/** A file that cannot be read; a socket that cannot be listened at. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && ('code' in error || 'syscall' in error)
