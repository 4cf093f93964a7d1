import { Buffer } from 'node:buffer'
import { isName } from '../name.js'

/** What a catalogue has of a hub: where it serves, and how its groups are. */
export interface HubRecord {
  /** The hub's name, and the machine's. */
  name: string
  host: string
  /** Where agents and recovery guests reach it, as it was told to listen; null where it does not. */
  listen: string | null
  nbd: string | null
  /** The state of each group, by its name. */
  groups: Readonly<Record<string, string>>
  /** How many groups more there are than the record has room for. */
  cut: number
}

/** Under which key of its lease it is. */
export const hubRecordKey = 'hub'

/** How much of a record the groups may take, in bytes of JSON: a record has 64 KiB in all. */
const groupsAtMost = 56 * 1024
const textAtMost = 512

/** With as many groups, in the order that they come in, as there is room for. */
export function hubRecord(
  about: Pick<HubRecord, 'name' | 'host' | 'listen' | 'nbd'>,
  groups: readonly { name: string; state: string }[],
): HubRecord {
  const kept: [string, string][] = []
  let left = groupsAtMost
  for (const { name, state } of groups) {
    // quotes, a colon and a comma
    left -= Buffer.byteLength(name) + Buffer.byteLength(state) + 6
    if (left < 0) break
    kept.push([name, state])
  }
  return { ...about, groups: Object.fromEntries(kept), cut: groups.length - kept.length }
}

const isShort = (value: unknown): value is string => typeof value === 'string' && value.length <= textAtMost
const isPlace = (value: unknown): value is string | null => value === null || isShort(value)

/** What somebody has written there; undefined of what is no record of a hub. */
export function readHubRecord(value: unknown): HubRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, host, listen, nbd, groups, cut } = value as Readonly<Record<string, unknown>>
  if (!isShort(name) || !isShort(host) || !isPlace(listen) || !isPlace(nbd)) return undefined
  if (typeof groups !== 'object' || groups === null || !Number.isSafeInteger(cut)) return undefined
  const states = Object.entries(groups)
  if (!states.every(([group, state]) => isName(group) && isShort(state))) return undefined
  return { name, host, listen, nbd, groups: Object.fromEntries(states) as Record<string, string>, cut: cut as number }
}
