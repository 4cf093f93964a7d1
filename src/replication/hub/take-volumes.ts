import { ReplicationError } from '../replication-error.js'
import type { VolumeInfo } from '../wire/message.js'
import type { Journal } from './journal-seam.js'
import { checkName } from './names.js'

export interface VolumeLimits {
  /** How many volumes a group may have. */
  volumes: number
  /** How large they may be together, in bytes. */
  volumeBytes: number
}

const numberAtMost = 255

/**
 * Declares what an agent attaches: new volumes, and those that have grown.
 *
 * @throws ReplicationError wrong-state where they do not fit to those that are known, bad-name, full where they are too many or too large
 */
export function takeVolumes(
  journal: Pick<Journal, 'volumes' | 'declareVolume'>,
  group: string,
  given: readonly VolumeInfo[],
  limits: VolumeLimits,
): void {
  const known = new Map(journal.volumes.map(volume => [volume.number, volume]))
  const all = new Map(known)
  for (const volume of given) {
    checkVolume(group, volume, known.get(volume.number))
    const other = [...all.values()].find(({ number, name }) => name === volume.name && number !== volume.number)
    if (other !== undefined)
      throw misfit(
        `volume ${volume.name} of the group ${group} has the number ${other.number}, and not ${volume.number}`,
      )
    if (all.get(volume.number) !== known.get(volume.number))
      throw misfit(`the number ${volume.number} is given to two volumes of the group ${group}`)
    all.set(volume.number, { number: volume.number, name: volume.name, size: volume.size })
  }
  if (given.length === 0) throw misfit(`the group ${group} is attached without a volume`)
  if (all.size > limits.volumes)
    throw new ReplicationError('full', `the group ${group} may have ${limits.volumes} volumes, and not ${all.size}`)
  const bytes = [...all.values()].reduce((sum, { size }) => sum + size, 0)
  if (bytes > limits.volumeBytes)
    throw new ReplicationError(
      'full',
      `the volumes of the group ${group} may have ${limits.volumeBytes} bytes together, and not ${bytes}`,
    )
  for (const volume of all.values()) if (known.get(volume.number)?.size !== volume.size) journal.declareVolume(volume)
}

function checkVolume(group: string, { number, name, size }: VolumeInfo, known: VolumeInfo | undefined): void {
  checkName('volume', name)
  if (!Number.isInteger(number) || number < 0 || number > numberAtMost)
    throw misfit(`a volume has a number from 0 to ${numberAtMost}, and not ${number}`)
  if (!Number.isSafeInteger(size) || size < 1) throw misfit(`volume ${name} of the group ${group} has ${size} bytes`)
  if (known === undefined) return
  if (known.name !== name)
    throw misfit(
      `volume ${number} of the group ${group} is ${known.name}, and not ${name}: give the other disk a new number`,
    )
  if (size < known.size)
    throw misfit(
      `volume ${name} of the group ${group} had ${known.size} bytes and has ${size} now: a disk that shrinks is protected anew, under another name`,
    )
}

const misfit = (message: string) => new ReplicationError('wrong-state', message)
