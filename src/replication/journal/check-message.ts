import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { StreamMessage, VolumeInfo } from '../wire/message.js'
import type { JournalState } from './journal-state.js'

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const textAtMost = 4096

/** Throws where a message cannot follow what is in the journal. */
export function checkMessage(message: StreamMessage, state: JournalState): void {
  const { stream } = state
  if (stream === undefined) throw new ReplicationError('wrong-state', 'no stream has begun that a message can be of')
  const { sequence, time } = message
  const follows = stream.sequence === 0 ? sequence >= 1 : sequence === stream.sequence + 1
  if (!Number.isSafeInteger(sequence) || !follows)
    throw new ReplicationError('protocol', `message ${sequence} does not follow message ${stream.sequence}`)
  if (!isCount(time)) throw new ReplicationError('protocol', `${time} is no time in microseconds`)
  if (message.kind === 'unsettled' && message.reason.length > textAtMost)
    throw new ReplicationError('protocol', 'the reason of an unsettled replica is too long')
  if (message.kind === 'point' && !isName(message.name))
    throw new ReplicationError('bad-name', 'the name of a checkpoint is not one that a checkpoint can have')
  if ('volume' in message) checkPart(message, state.volumes.get(message.volume))
}

function checkPart(message: StreamMessage & { volume: number; offset: number }, volume: VolumeInfo | undefined): void {
  const { offset } = message
  if (volume === undefined) throw new ReplicationError('wrong-state', `volume ${message.volume} was not declared`)
  const length = 'data' in message ? message.data.length : 'length' in message ? message.length : 0
  if (!isCount(offset) || !isCount(length) || length === 0 || offset + length > volume.size)
    throw new ReplicationError(
      'wrong-state',
      `${length} bytes at ${offset} do not lie in volume ${volume.name} of ${volume.size} bytes`,
    )
}

/** Throws where a volume cannot be declared. @returns whether that says anything new */
export function checkVolume({ number, name, size }: VolumeInfo, volumes: ReadonlyMap<number, VolumeInfo>): boolean {
  if (!Number.isInteger(number) || number < 0 || number > 255)
    throw new ReplicationError('protocol', `a volume cannot have the number ${number}`)
  if (!isName(name)) throw new ReplicationError('bad-name', 'the name of a volume is not one that a volume can have')
  if (!isCount(size) || size === 0)
    throw new ReplicationError('wrong-state', `volume ${name} cannot have ${size} bytes`)
  const known = volumes.get(number)
  if (known === undefined) {
    if ([...volumes.values()].some(other => other.name === name))
      throw new ReplicationError('in-use', `volume ${name} has another number already`)
    return true
  }
  if (known.name !== name) throw new ReplicationError('in-use', `volume ${number} is ${known.name} already`)
  if (size < known.size)
    throw new ReplicationError('wrong-state', `volume ${name} has ${known.size} bytes and cannot become smaller`)
  return size > known.size
}
