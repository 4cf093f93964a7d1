import { Controllers } from '../../control/controllers.js'
import { listen } from '../../link/node/listener.js'
import { listening } from '../../link/node/listening.js'

/** What is done by a name, with arguments as they came; `gone` is aborted when nobody waits for it any more. @throws ReplicationError */
export type RunCommand = (
  execute: string,
  given: Readonly<Record<string, unknown>>,
  gone: AbortSignal,
) => Promise<unknown>

/** Serves commands at a unix socket, for this user alone. @param longest as of `Controllers` @returns what ends that @throws LinkError where it cannot listen */
export async function serveControl(path: string, run: RunCommand, longest?: number): Promise<() => Promise<void>> {
  const controllers = new Controllers(({ execute, arguments: given }, gone) => run(execute, given, gone), longest)
  const listener = await listening(
    'who controls it',
    { path },
    listen({ path }, duplex => controllers.accept(duplex)),
  )
  return async () => {
    controllers.endAll()
    await listener.close()
  }
}
