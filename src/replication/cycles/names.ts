import { createHash } from 'node:crypto'
import { isName } from '../name.js'

/** Whose bitmaps they are: a group, and the replica of it that they are the difference to. */
export interface Owner {
  /** A name as `isName` has it, as all names here. */
  group: string
  /** What changes with the replica at the hub: bitmaps of another one are of no use. A UUID, say. */
  replica: string
}

/** A bitmap of ours, by its name. */
export interface OwnBitmap extends Owner {
  /** The cycle in whose moment it was begun; 0 for the mark that the hub holds no cycle yet. */
  cycle: number
}

/** The bitmap that was begun with a cycle; no name has a colon. */
export const bitmapName = ({ group, replica }: Owner, cycle: number): string => `xenlight:${group}:${replica}:${cycle}`

/** What a bitmap's name says; undefined for a foreign one. */
export function readBitmapName(name: string): OwnBitmap | undefined {
  const [prefix, group, replica, digits, ...more] = name.split(':')
  if (prefix !== 'xenlight' || more.length > 0 || group === undefined || replica === undefined) return undefined
  if (!isName(group) || !isName(replica)) return undefined
  if (digits === undefined || !/^(?:0|[1-9]\d{0,14})$/.test(digits)) return undefined
  return { group, replica, cycle: Number(digits) }
}

/** Stands for a group's volume in names of QEMU's, which are short. */
const keyOf = (group: string, volume: string): string =>
  createHash('sha256').update(`${group}:${volume}`).digest('hex').slice(0, 10)

/** What all nodes and jobs of ours for a volume begin with. */
export const ownPrefix = (group: string, volume: string): string => `xl-${keyOf(group, volume)}-`

/**
 * The target of a volume's backups, and the NBD client below it. Each that is opened has a generation of its own (8 hexadecimal digits):
 * QEMU reports the first failure of a node at once, and later ones of the same name not before a second is over.
 */
export const targetNode = (group: string, volume: string, generation: string): string =>
  `${ownPrefix(group, volume)}${generation}`
export const linkNode = (target: string): string => `${target}-link`
/** The NBD client that is a quorum's child. */
export const liveNode = (group: string, volume: string, generation: string): string =>
  `${ownPrefix(group, volume)}${generation}-live`

export const backupJob = (group: string, volume: string): string => `${ownPrefix(group, volume)}backup`

/** What QEMU puts between the guest and its node while a backup runs. */
export const filterNode = (job: string): string => `${job}-filter`
export const isFilterNode = (name: string): boolean => /^xl-[0-9a-f]{10}-backup-filter$/.test(name)
