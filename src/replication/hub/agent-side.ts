import { ReplicationError } from '../replication-error.js'
import type { HubSession } from './agent-session.js'
import type { Run } from './journal-seam.js'
import type { PrimarySide } from './primary-side.js'

/** How long an agent may take for an answer, in milliseconds: it has to read or write a disk. */
const answerTimeout = 60_000
/** How many runs an agent may name. */
const runsAtMost = 1024 * 1024

/** The disks of a group on its agent's host, as they are failed back to: over the agent's session. */
export class AgentSide implements PrimarySide {
  readonly agent: string
  readonly #session: HubSession
  readonly #channel: number
  readonly #group: string
  readonly #check: (() => void) | undefined

  /** @param check asked before anything is asked of the agent @throws what it throws */
  constructor(session: HubSession, agent: string, group: string, channel: number, check?: () => void) {
    this.#session = session
    this.agent = agent
    this.#group = group
    this.#channel = channel
    this.#check = check
  }

  async differing(volume: number): Promise<readonly Run[]> {
    const all: Run[] = []
    // an answer holds some of them, and says where the next one begins
    for (let from: number | undefined = 0; from !== undefined; ) {
      const answer = await this.command('differing', { volume, from })
      const { runs, next }: { runs?: unknown; next?: number } = Object(answer)
      const goesOn = next === undefined || (Number.isSafeInteger(next) && next > from)
      if (!goesOn || !Array.isArray(runs) || all.length + runs.length > runsAtMost) throw this.#wrong('differing')
      for (const run of runs) {
        const { offset, length } = Object(run)
        if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) throw this.#wrong('differing')
        all.push({ offset, length })
      }
      from = next
    }
    return all
  }

  async write(volume: number, offset: number, data: Uint8Array): Promise<void> {
    this.#check?.()
    const request = { kind: 'writeRequest', channel: this.#channel, volume, offset, data } as const
    await this.#session.ask(request, { timeout: answerTimeout })
  }

  read(volume: number, offset: number, length: number): Promise<Uint8Array> {
    const request = { kind: 'readRequest', channel: this.#channel, volume, offset, length } as const
    return this.#session.askBytes(request, { timeout: answerTimeout })
  }

  async flush(): Promise<void> {
    await this.command('flush', {})
  }

  /** Asks for something to be done with the group; the result is not checked. */
  async command(execute: string, given: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#check?.()
    const all = { ...given, group: this.#group }
    const request = { kind: 'command', channel: this.#channel, execute, arguments: all } as const
    return await this.#session.ask(request, { timeout: answerTimeout })
  }

  #wrong(what: string): ReplicationError {
    return new ReplicationError('protocol', `the agent ${this.agent} answers what is no answer to "${what}"`)
  }
}
