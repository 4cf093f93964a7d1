import type { Limits } from '../../link/limits.js'
import type { QmpArguments, QmpCommand } from '../../qmp/command.js'
import { humanMonitor } from '../../qmp/human-monitor.js'
import type { Qmp } from '../../qmp/qmp.js'
import { QmpError } from '../../qmp/qmp-error.js'

/** What one command came to. */
export interface LibxlAnswer {
  command: string
  arguments: QmpArguments | undefined
  /** What QEMU returned; undefined where it failed. */
  reply: unknown
  /** Why it did not do what it should, in QEMU's words or ours; undefined where it did. */
  failure: string | undefined
  /** Whether libxl sees that failure, and ends its attempt. */
  noticed: boolean
}

/** What libxl sent for one step, in its order, with the answers. */
export interface LibxlReport {
  answers: readonly LibxlAnswer[]
  /** Whether libxl takes the step for done. It proves nothing: see the answers' failures. */
  believed: boolean
}

/** How long libxl waits for each answer, in milliseconds. */
const libxlTimeout = 5000

/** Sends commands as libxl does, each whatever became of the one before, and keeps what they answered. */
export class Conversation {
  readonly #limits: Limits
  readonly #answers: LibxlAnswer[] = []

  constructor({ signal, timeout = libxlTimeout }: Limits) {
    this.#limits = { signal, timeout }
  }

  /** Whether nothing failed that libxl sees. */
  get goesOn(): boolean {
    return this.#answers.every(({ noticed }) => !noticed)
  }

  get report(): LibxlReport {
    return { answers: this.#answers, believed: this.goesOn }
  }

  /** A command whose refusal ends libxl's attempt. Resolves to whether it was done. */
  send<Args extends QmpArguments | undefined>(qmp: Qmp, command: QmpCommand<Args>, args: Args): Promise<boolean> {
    return this.#keep(command.name, args, true, () => run(qmp, command, args, this.#limits))
  }

  /** A command whose refusal libxl ignores. */
  sendUnheard<Args extends QmpArguments | undefined>(
    qmp: Qmp,
    command: QmpCommand<Args>,
    args: Args,
  ): Promise<boolean> {
    return this.#keep(command.name, args, false, () => run(qmp, command, args, this.#limits))
  }

  /** A line of the human monitor's. It fails by printing, which libxl does not read. */
  type(qmp: Qmp, line: string): Promise<boolean> {
    const args = { 'command-line': line }
    return this.#keep('human-monitor-command', args, true, () => humanMonitor(qmp, line, this.#limits))
  }

  async #keep(
    command: string,
    args: QmpArguments | undefined,
    heard: boolean,
    send: () => Promise<unknown>,
  ): Promise<boolean> {
    const answer: LibxlAnswer = { command, arguments: args, reply: undefined, failure: undefined, noticed: false }
    try {
      answer.reply = await send()
      answer.failure = failureIn(answer.reply)
    } catch (error) {
      // whoever gave up wants nothing more to be sent
      if (!(error instanceof QmpError) || error.code === 'ECANCELED') throw error
      answer.failure = error.description ?? error.message
      answer.noticed = heard && error.code !== 'monitor-text'
    }
    this.#answers.push(answer)
    return answer.failure === undefined
  }
}

const run = (qmp: Qmp, command: QmpCommand, args: QmpArguments | undefined, limits: Limits): Promise<unknown> =>
  qmp.run(command as QmpCommand<QmpArguments>, args!, limits)

/** The error that a success reply holds (`query-xen-replication-status`). */
function failureIn(reply: unknown): string | undefined {
  const { error, description } = Object(reply) as { error?: unknown; description?: unknown }
  if (error !== true) return undefined
  return typeof description === 'string' ? description : 'no reason given'
}
