import { randomUUID } from 'node:crypto'
import type { Base } from '../agent/volume-record.js'
import type { Folder } from '../folder.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import { volumesAtMost } from '../wire/message.js'
import { readText, writeText } from './record-text.js'

/** What an agent must not forget of a group, besides its volumes' metadata. */
export interface AgentRecord {
  /** Of the last take-over that it knows of. */
  epoch: number
  /** By name: numbers are never given to another one. */
  volumes: Readonly<Record<string, { number: number; id: string }>>
  /** The hub writes the disks, and has not said that they are whole: no guest may have them. */
  isReturning?: boolean | undefined
  /** Somebody has paused it, and since when, in microseconds since 1970. */
  pausedSince?: number | undefined
  /** Somebody has ended its protection: nothing is marked, whoever writes. */
  isStopped?: boolean | undefined
  /** A cluster says when guests may have the disks. */
  isManaged?: boolean | undefined
  /** The number of the last promotion here, by that cluster. */
  promotion?: number | undefined
  /** Of a group whose QEMU has the images. Without it, nothing is known of what the hub has. */
  running?: RunningRecord | undefined
}

/**
 * What QEMU's dirty bitmaps of a cycle rest on. It is saved when the hub has the cycle durably, before bitmaps of earlier cycles are
 * removed: so whenever the agent dies, QEMU has the bitmaps of the cycle that is said here, and they mark all that a replica may lack
 * which holds the base. One that has more of that stream lacks no more: what came after the cycle went only to places that are marked.
 */
export interface RunningRecord {
  held: number
  base: Base
  /** By the disks' names, in bytes. */
  sizes: Readonly<Record<string, number>>
}

const file = 'group.json'

/**
 * Reads a group's record, with a place in it for each of these volumes.
 *
 * @returns also which of the volumes that it has now, or had, nothing is known of: those that are new, and those that are left out
 * @throws ReplicationError damaged, wrong-state
 */
export async function openRecord(
  folder: Folder,
  group: string,
  names: readonly string[],
): Promise<{ record: AgentRecord; unknown: readonly string[] }> {
  const record = read(folder, group)
  const volumes = { ...record.volumes }
  let next = Math.max(-1, ...Object.values(volumes).map(({ number }) => number)) + 1
  // names are any: `constructor` is one
  const added = names.filter(name => !Object.hasOwn(volumes, name))
  for (const name of added) volumes[name] = { number: next++, id: randomUUID() }
  if (next > volumesAtMost)
    throw new ReplicationError('wrong-state', `${group} has had more than ${volumesAtMost} disks: take another group`)
  const whole = { ...record, volumes }
  await saveRecord(folder, whole)
  const leftOut = Object.keys(volumes).filter(name => !names.includes(name))
  return { record: whole, unknown: [...added, ...leftOut] }
}

export const saveRecord = (folder: Folder, record: AgentRecord): Promise<void> =>
  writeText(folder, file, `${JSON.stringify(record, undefined, 2)}\n`)

function read(folder: Folder, group: string): AgentRecord {
  const text = readText(folder, file)
  if (text === undefined) return { epoch: 0, volumes: {} }
  const record = parse(text)
  if (record === undefined)
    throw new ReplicationError(
      'damaged',
      `the agent's ${file} of ${group} is no record of a group: remove it, and all of the group's disks are compared with the hub's`,
    )
  return record
}

function parse(text: string): AgentRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { epoch, volumes, isReturning, pausedSince, isStopped, running, ...cluster } = (value ?? {}) as Record<
    string,
    unknown
  >
  const { isManaged, promotion } = cluster
  if (!isCount(epoch) || typeof volumes !== 'object' || volumes === null) return undefined
  for (const [name, volume] of Object.entries(volumes)) {
    const { number, id } = (volume ?? {}) as Record<string, unknown>
    if (!isName(name) || !isCount(number) || number >= volumesAtMost || typeof id !== 'string') return undefined
  }
  if (running !== undefined && !isRunning(running)) return undefined
  if (pausedSince !== undefined && !isCount(pausedSince)) return undefined
  if (promotion !== undefined && !isCount(promotion)) return undefined
  const known = volumes as AgentRecord['volumes']
  return {
    epoch,
    volumes: known,
    isReturning: isReturning === true,
    pausedSince,
    isStopped: isStopped === true,
    isManaged: isManaged === true,
    promotion,
    running,
  }
}

function isRunning(value: unknown): value is RunningRecord {
  const { held, base, sizes } = (value ?? {}) as Record<string, unknown>
  const { replica, stream, sequence } = (base ?? {}) as Record<string, unknown>
  if (typeof replica !== 'string' || !isName(replica) || typeof stream !== 'string') return false
  if (typeof sizes !== 'object' || sizes === null || !Object.values(sizes).every(isCount)) return false
  return isCount(held) && isCount(sequence)
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
