import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import { dataAtMost, type RequestMessage } from '../wire/message.js'
import type { ServedGroup } from './served-group.js'

const digits = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const named = (value: unknown): value is string => typeof value === 'string' && isName(value)

/** The volume that a request is about, and the part of it. @throws ReplicationError not-found, wrong-state */
function partOf(served: ServedGroup, number: number, offset: number, length: number) {
  const volume = served.volumes.find(one => one.number === number)
  if (volume === undefined) throw new ReplicationError('not-found', `${served.name} has no volume ${number}`)
  if (length > dataAtMost || offset + length > volume.size)
    throw new ReplicationError(
      'wrong-state',
      `${length} bytes at ${offset} are too many, or beyond the end of ${volume.name}`,
    )
  return volume
}

/** Reads or writes a part of a disk for the hub. @throws ReplicationError not-allowed, in-use, not-found, wrong-state; the image's error */
export async function answerIo(
  served: ServedGroup,
  request: Extract<RequestMessage, { kind: 'readRequest' | 'writeRequest' }>,
): Promise<unknown> {
  const { volume: number, offset } = request
  if (request.kind === 'readRequest') {
    const volume = partOf(served, number, offset, request.length)
    served.checkRight('read')
    return volume.read(offset, request.length)
  }
  const volume = partOf(served, number, offset, request.data.length)
  if (!served.isReturning) {
    served.checkRight('write')
    if (served.isHeld)
      throw new ReplicationError(
        'wrong-state',
        `nobody may write to ${served.name} here: its cluster has not promoted it`,
      )
  }
  await volume.write(offset, request.data)
  return {}
}

/** How many parts of a volume are named in an answer, which must fit into a message. */
const runsAtMost = 1000

type Command = (served: ServedGroup, given: Readonly<Record<string, unknown>>) => unknown

/** The steps of a fail-back. */
export const returnCommands: Readonly<Record<string, Command>> = {
  /** Those from an offset on; `next` is where to go on, where there are more. */
  async differing(served, { volume, from = 0 }) {
    if (!digits(volume) || !digits(from)) throw new ReplicationError('protocol', 'differing lacks what it has to say')
    await served.beginReturn()
    const runs = served.differing(volume, from, runsAtMost + 1)
    if (runs.length <= runsAtMost) return { runs }
    return { runs: runs.slice(0, runsAtMost), next: runs[runsAtMost]!.offset }
  },
  async flush({ volumes }) {
    for (const volume of volumes) await volume.flush()
  },
  async adopt(served, { epoch, replica, stream, sequence }) {
    if (!digits(epoch) || !digits(sequence) || !named(replica) || !named(stream))
      throw new ReplicationError('protocol', 'adopt lacks what it has to say')
    await served.endReturn({ replica, stream, sequence }, epoch)
  },
}
