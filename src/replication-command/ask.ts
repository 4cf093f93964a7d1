import type { Limits } from '../link/limits.js'
import { connectControl } from '../replication/node/connect-control.js'

/** What is asked of an agent or a hub that is served. */
export interface Asked {
  /** Its socket. */
  control: string
  json: boolean
  /** In milliseconds; undefined for the usual one. */
  timeout: number | undefined
}

/** Who is asked. */
export type Who = 'the agent' | 'the hub'

/** How long an answer may take that needs nothing but looking, in milliseconds. */
export const usualTimeout = 10_000

/** Asks one thing, over a connection of its own. @throws LinkError; ReplicationError, which is the answer */
export async function ask(
  who: Who,
  { control, timeout = usualTimeout }: Pick<Asked, 'control' | 'timeout'>,
  execute: string,
  given: Readonly<Record<string, unknown>> = {},
  signal?: AbortSignal,
): Promise<unknown> {
  const limits: Limits = { timeout, signal }
  const client = await connectControl(control, who, limits)
  try {
    return await client.ask(execute, given, limits)
  } finally {
    await client.close()
  }
}
