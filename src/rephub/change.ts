import { setTimeout as delay } from 'node:timers/promises'
import { complain } from '../command-line/complain.js'
import { interruptible } from '../command-line/interruption.js'
import type { Io } from '../command-line/io.js'
import type { ControlClient } from '../control/control-client.js'
import { LinkError } from '../link/link-error.js'
import { printable } from '../printable.js'
import type { GroupStatus } from '../replication/hub/group-status.js'
import { connectControl } from '../replication/node/connect-control.js'
import { type Asked, usualTimeout } from '../replication-command/ask.js'
import { groupStatus } from './group-status.js'

/** Something that is changed at the hub, and may take as long as it takes. */
export interface Change {
  group: string
  execute: string
  given: Readonly<Record<string, unknown>>
  /** What it is, for people. */
  what: string
  /** The hub calls it off when nobody waits for it any more, as long as it can. */
  endsWithCommand?: boolean | undefined
  /** Is told how it goes on while it does. */
  watch?: ((hub: ControlClient, done: Promise<unknown>) => Promise<void>) | undefined
}

/** How long a look at what becomes of it may take once the command is to end, in milliseconds. */
const lastLook = 2000
/** How often it looks meanwhile, in milliseconds. */
const lookEvery = 50

/**
 * Asks for a change. The hub does it whether the command is there or not, unless `endsWithCommand`: where it is interrupted, it says what
 * becomes of it.
 *
 * @returns the exit status of an interruption, or the answer
 * @throws LinkError, ReplicationError
 */
export async function change(
  { control, timeout }: Pick<Asked, 'control' | 'timeout'>,
  asked: Change,
  io: Io,
): Promise<{ interrupted: number } | { answer: unknown }> {
  const { group, execute, given, watch } = asked
  using interruption = interruptible(io)
  const { signal } = interruption
  const hub = await connectControl(control, 'the hub', { timeout: timeout ?? usualTimeout, signal })
  try {
    const done = hub.ask(execute, { group, ...given }, { timeout, signal })
    // it is awaited below
    done.catch(() => {})
    await watch?.(hub, done)
    return { answer: await done }
  } catch (error) {
    if (interruption.status !== undefined) {
      complain(io, 'rephub', `interrupted: ${await whatBecomes(hub, control, asked)}`)
      return { interrupted: interruption.status }
    }
    if (!(error instanceof LinkError) || error.code !== 'ETIMEDOUT') throw error
    throw new LinkError(error.code, `${error.message}; ${await whatBecomes(hub, control, asked)}`, { cause: error })
  } finally {
    await hub.close()
  }
}

async function whatBecomes(
  hub: ControlClient,
  control: string,
  { group, what, endsWithCommand = false }: Change,
): Promise<string> {
  const look = `see 'rephub status ${group}'`
  try {
    const { state, busy } = endsWithCommand
      ? await afterwards(hub, control, group)
      : await groupStatus(hub, group, { timeout: lastLook })
    if (busy !== undefined) return `the ${what} goes on at the hub; ${look}`
    // what was not called off in time is done
    if (endsWithCommand && state !== 'protected') return `the ${what} is called off: the group is ${printable(state)}`
    return `the hub is not busy with the ${what} any more; ${look}`
  } catch {
    return `whether the ${what} goes on at the hub is not known; ${look}`
  }
}

/** What a group is when the hub knows that the command has gone. */
async function afterwards(hub: ControlClient, control: string, group: string): Promise<GroupStatus> {
  await hub.close()
  const end = performance.now() + lastLook
  const again = await connectControl(control, 'the hub', { timeout: lastLook })
  try {
    for (;;) {
      const status = await groupStatus(again, group, { timeout: lastLook })
      if (status.busy === undefined || performance.now() >= end) return status
      await delay(lookEvery)
    }
  } finally {
    await again.close()
  }
}
