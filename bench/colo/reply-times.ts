import { AsyncLocalStorage } from 'node:async_hooks'
import type { Qmp } from 'xenlight/qmp'
import { aroundCommands } from './around-commands.js'

/** A command: when it was sent, and when its reply was there, in milliseconds. */
export interface Timed {
  command: string
  from: number
  to: number
}

/** What a piece of work took and came to, and the commands that it sent. */
export interface TimedWork<Result = unknown> {
  from: number
  to: number
  commands: readonly Timed[]
  result: Result
}

/** Times the commands of a piece of work, and not those that others send meanwhile, such as the heartbeat. */
export class ReplyTimes {
  readonly #work = new AsyncLocalStorage<Timed[]>()

  /** The same QEMU, whose commands are timed. */
  over(qmp: Qmp): Qmp {
    return aroundCommands(qmp, async (command, run) => {
      const commands = this.#work.getStore()
      if (commands === undefined) return run()
      const from = performance.now()
      try {
        return await run()
      } finally {
        commands.push({ command, from, to: performance.now() })
      }
    })
  }

  async of<Result>(work: () => Promise<Result>): Promise<TimedWork<Result>> {
    const commands: Timed[] = []
    const from = performance.now()
    const result = await this.#work.run(commands, work)
    return { from, to: performance.now(), commands, result }
  }
}

/** The sum of the replies' own times; what is asked of both sides at once counts twice. */
export const sumOf = ({ commands }: TimedWork): number => commands.reduce((sum, { from, to }) => sum + to - from, 0)

/** How long a reply, or more than one, was waited for. */
export function waitOf({ commands }: TimedWork): number {
  let waited = 0
  let until = 0
  for (const { from, to } of commands.toSorted((one, other) => one.from - other.from)) {
    waited += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return waited
}
