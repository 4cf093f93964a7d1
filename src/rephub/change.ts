import { complain } from '../command-line/complain.js'
import { interruptible } from '../command-line/interruption.js'
import type { Io } from '../command-line/io.js'
import type { ControlClient } from '../control/control-client.js'
import { LinkError } from '../link/link-error.js'
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
  /** Is told how it goes on while it does. */
  watch?: ((hub: ControlClient, done: Promise<unknown>) => Promise<void>) | undefined
}

/** How long a look at what becomes of it may take once the command is to end, in milliseconds. */
const lastLook = 2000

/**
 * Asks for a change. The hub does it whether the command is there or not: where it is interrupted, it says whether that goes on.
 *
 * @returns the exit status of an interruption, or the answer
 * @throws LinkError, ReplicationError
 */
export async function change(
  { control, timeout }: Pick<Asked, 'control' | 'timeout'>,
  { group, execute, given, what, watch }: Change,
  io: Io,
): Promise<{ interrupted: number } | { answer: unknown }> {
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
      complain(io, 'rephub', `interrupted: ${await whatBecomes(hub, group, what)}`)
      return { interrupted: interruption.status }
    }
    if (!(error instanceof LinkError) || error.code !== 'ETIMEDOUT') throw error
    throw new LinkError(error.code, `${error.message}; ${await whatBecomes(hub, group, what)}`, { cause: error })
  } finally {
    await hub.close()
  }
}

async function whatBecomes(hub: ControlClient, group: string, what: string): Promise<string> {
  const look = `see 'rephub status ${group}'`
  try {
    const { busy } = await groupStatus(hub, group, { timeout: lastLook })
    return busy === undefined
      ? `the hub is not busy with the ${what} any more; ${look}`
      : `the ${what} goes on at the hub; ${look}`
  } catch {
    return `whether the ${what} goes on at the hub is not known; ${look}`
  }
}
