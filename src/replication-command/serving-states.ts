import { GroupStateFiles, type Side } from '../cluster/node/group-state-files.js'
import type { ServedState } from '../cluster/node/state-file.js'
import { complain } from '../command-line/complain.js'
import type { Io } from '../command-line/io.js'

/** What says how groups are, where anybody wants to know. */
export interface ServingStates extends Disposable {
  /** Says it now. */
  write(): void
  /** Says it whenever something has changed. */
  follow(served: { onChange(listener: () => void): () => void }): Disposable
}

const none: ServingStates = {
  write() {},
  follow: () => ({ [Symbol.dispose]() {} }),
  [Symbol.dispose]() {},
}

/** @param folder undefined for none @throws ReplicationError in-use; the system's error */
export async function servingStates(
  name: string,
  side: Side,
  folder: string | undefined,
  states: () => ReadonlyMap<string, ServedState>,
  io: Io,
): Promise<ServingStates> {
  if (folder === undefined) return none
  const failed = ({ message }: Error) => complain(io, name, `the state files cannot be written: ${message}`)
  const files = await GroupStateFiles.open({ folder, side, states, failed })
  return {
    write: () => files.write(),
    follow(served) {
      const stop = served.onChange(() => files.changed())
      return { [Symbol.dispose]: stop }
    },
    [Symbol.dispose]: () => files[Symbol.dispose](),
  }
}
