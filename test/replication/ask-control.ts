import { connectControl } from '#xenlight/replication/node/connect-control.js'

/** Asks an agent or a hub over its control socket, by a connection of its own. @throws LinkError; ReplicationError where it refuses */
export async function askControl<Result>(
  path: string,
  who: 'agent' | 'hub',
  execute: string,
  given: object = {},
): Promise<Result> {
  const control = await connectControl(path, who, { timeout: 5000 })
  try {
    return (await control.ask(execute, { ...given }, { timeout: 20_000 })) as Result
  } finally {
    await control.close()
  }
}
