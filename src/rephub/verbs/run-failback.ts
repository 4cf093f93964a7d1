import { setTimeout as delay } from 'node:timers/promises'
import { complain } from '../../command-line/complain.js'
import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { redrawn } from '../../command-line/redrawn.js'
import type { ControlClient } from '../../control/control-client.js'
import type { Busy } from '../../replication/hub/group-status.js'
import type { Returned } from '../../replication/hub/life.js'
import { ReplicationError } from '../../replication/replication-error.js'
import { answerOf } from '../../replication-command/answer.js'
import { usualTimeout } from '../../replication-command/ask.js'
import { change } from '../change.js'
import type { FailbackCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { groupStatus } from '../group-status.js'
import { Pace } from '../pace.js'
import { busyText } from '../status-lines.js'

/** How often it looks, in milliseconds: for a terminal, and for all else. */
const liveInterval = 200
const plainInterval = 3000

/** Gives the truth back to an agent, and shows how far that is. */
export async function runFailback(command: FailbackCommand, io: Io): Promise<number> {
  const { group, agent, json, now } = command
  const progress = new ShownProgress(io, json)
  const watch = (hub: ControlClient, done: Promise<unknown>) => progress.show(hub, group, done)
  try {
    const asked = { group, execute: 'fail-back', given: { agent, wait: !now }, what: 'fail-back', watch }
    const result = await change(command, { ...asked, endsWithCommand: !now }, io)
    if ('interrupted' in result) return result.interrupted
    const returned = answerOf<Returned>('the hub', result.answer, 'epoch')
    io.write(1, json ? jsonLine({ group, ...returned }) : `${group}: failed back; epoch ${returned.epoch}\n`)
    return exitStatus('done')
  } catch (error) {
    // whatever it is refused for, some of it was done then
    if (!(error instanceof ReplicationError) || !progress.hasBegun) throw error
    complain(io, 'rephub', error.message)
    return exitStatus('failed')
  }
}

class ShownProgress {
  /** Something was copied. */
  hasBegun = false
  readonly #io: Io
  readonly #json: boolean
  readonly #pace = new Pace()
  readonly #isLive: boolean
  #drawn = 0

  constructor(io: Io, json: boolean) {
    this.#io = io
    this.#json = json
    this.#isLive = !json && io.isTerminal(1) && io.env.TERM !== 'dumb'
  }

  async show(hub: ControlClient, group: string, done: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = done
      .catch(() => {})
      .then(() => {
        isOver = true
      })
    const waited = new AbortController()
    void over.then(() => waited.abort())
    for (;;) {
      await delay(this.#isLive ? liveInterval : plainInterval, undefined, waited).catch(() => {})
      if (isOver) break
      // what is wrong with the connection, the change itself says
      const status = await groupStatus(hub, group, { timeout: usualTimeout }).catch(() => undefined)
      if (status?.busy !== undefined && !isOver) this.#say(status.busy)
    }
    if (this.#drawn > 0) this.#io.write(1, redrawn([], this.#drawn, this.#io.size()))
  }

  #say(busy: Busy): void {
    if (busy.done > 0) this.hasBegun = true
    const text = busyText(busy, this.#pace, performance.now())
    if (this.#json) this.#io.write(1, jsonLine({ progress: busy }))
    else if (!this.#isLive) this.#io.write(1, `${text}\n`)
    else {
      this.#io.write(1, redrawn([text], this.#drawn, this.#io.size()))
      this.#drawn = 1
    }
  }
}
