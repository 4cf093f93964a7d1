import { isName as isNameText } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import { shown } from './names.js'

/** How much a group may take. Bytes, but for the history: microseconds. */
export interface GroupLimits {
  /** Older history is folded while the journal is larger. */
  journalBytes?: number | undefined
  /** No data is taken while it is larger, where nothing may be folded: while the replica is not consistent, or a branch is there. */
  journalHardBytes?: number | undefined
  history?: number | undefined
  /** Of its images on the disk. */
  imageBytes?: number | undefined
  /** Of what its branches wrote. */
  overlayBytes?: number | undefined
  /** How many branches there may be at a time. */
  branches?: number | undefined
  /** How many checkpoints have a name: of more, the oldest names are forgotten. */
  checkpoints?: number | undefined
  /** All its volumes together, as its guest sees them. */
  volumeBytes?: number | undefined
  /** How many volumes. */
  volumes?: number | undefined
}

/**
 * Where a group is between its primary side and a branch:
 * - `protected`: the primary side has the truth;
 * - `failing-over`: the primary side is fenced, the branch is to be made;
 * - `failed-over`: the branch is served, and may be rolled back;
 * - `rolling-back`: the branch is being dropped, and the primary side's truth counts again;
 * - `committed`: the branch is the truth;
 * - `returning`: the primary side has all of the branch, which is being written into the journal.
 */
export type LifeState = 'protected' | 'failing-over' | 'failed-over' | 'rolling-back' | 'committed' | 'returning'

export interface Life {
  state: LifeState
  /** The branch that it is about; in every state but `protected`. */
  branch?: string | undefined
  /** Of `failing-over`: which position was asked for; undefined for the newest. */
  position?: number | undefined
  /** Who asked for it, and when, by the hub's clock in microseconds. */
  by?: string | undefined
  time?: number | undefined
  /** Of `failed-over`: on whose disks a fail-back may have written. They are no moment any more that could be gone back to. */
  copiedTo?: string | undefined
  /** Of `returning`: who has the truth then. */
  agent?: string | undefined
  /** Nobody gets the branch's disks. */
  isHeld?: boolean | undefined
}

/** A branch: the group as of a point, and what a recovery VM wrote since. */
export interface BranchRecord {
  name: string
  /** Of its folder; never that of another one. */
  id: number
  kind: 'test' | 'fail-over'
  /** `making` until its files are there; `dropping` once it is to go. */
  state: 'making' | 'ready' | 'dropping'
  position: number
  /** Of the position. */
  pointTime: number
  /** When it was asked for, by the hub's clock in microseconds, and by whom. */
  made: number
  by: string
}

/** The last take-over: who, when, what. */
export interface TakeOver {
  kind: 'fail-over' | 'roll-back' | 'commit' | 'fail-back'
  by: string
  time: number
}

/** What a hub must not forget of a group. */
export interface GroupRecord {
  name: string
  /** Which replica it is: a UUID. */
  replica: string
  /** When it was made, by the hub's clock in microseconds. */
  made: number
  /** Counts its take-overs, from 1 on. */
  epoch: number
  /** Since which epoch the truth has been the same: who knows an epoch of those goes on with it. */
  truthSince: number
  /** Counts the hubs that owned it, from 1 on; and the one that does. */
  term: number
  owner: string
  /** The agent whose stream was attached last. */
  agent?: string | undefined
  /** To whom the truth was given back: it may attach whatever epoch it knows of. */
  invited?: string | undefined
  takeOver?: TakeOver | undefined
  limits: GroupLimits
  life: Life
  branches: readonly BranchRecord[]
  /** The id of the next branch. */
  nextBranch: number
}

const format = 1
/** Of a record's file, in bytes. */
export const recordAtMost = 1024 * 1024

export const encodeRecord = (record: GroupRecord): string => `${JSON.stringify({ format, ...record }, undefined, 2)}\n`

/** @throws ReplicationError damaged */
export function decodeRecord(text: string, name: string): GroupRecord {
  const damaged = (why: string) =>
    new ReplicationError(
      'damaged',
      `the record of the group ${name} (group.json) is no record: ${why}; take it from a copy, or remove the group's folder to begin anew`,
    )
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : 'no JSON')
  }
  const wrong = findWrong(recordShape, value, 'it')
  if (wrong !== undefined) throw damaged(wrong)
  const { format: written, ...record } = value as GroupRecord & { format: number }
  if (written !== format) throw damaged(`it has format ${written}, and this hub knows ${format}`)
  if (record.name !== name) throw damaged(`it is that of ${shown(record.name)}`)
  if ((record.life.state === 'protected') !== (record.life.branch === undefined))
    throw damaged('its life has no branch')
  return record
}

type Check = (value: unknown) => boolean
interface Shape {
  [member: string]: Check | Shape | readonly [Shape]
}

const isNumber: Check = value => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isName: Check = value => typeof value === 'string' && isNameText(value)
const isText: Check = value => typeof value === 'string' && value.length <= 256
const maybe =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
const word =
  (...words: readonly string[]): Check =>
  value =>
    typeof value === 'string' && words.includes(value)

const limitsShape: Shape = {
  journalBytes: maybe(isNumber),
  journalHardBytes: maybe(isNumber),
  history: maybe(isNumber),
  imageBytes: maybe(isNumber),
  overlayBytes: maybe(isNumber),
  branches: maybe(isNumber),
  checkpoints: maybe(isNumber),
  volumeBytes: maybe(isNumber),
  volumes: maybe(isNumber),
}

const recordShape: Shape = {
  format: isNumber,
  name: isName,
  replica: isText,
  made: isNumber,
  epoch: isNumber,
  truthSince: isNumber,
  term: isNumber,
  owner: isText,
  agent: maybe(isText),
  invited: maybe(isText),
  takeOver: maybe(
    value =>
      findWrong(
        { kind: word('fail-over', 'roll-back', 'commit', 'fail-back'), by: isText, time: isNumber },
        value,
        '',
      ) === undefined,
  ),
  limits: limitsShape,
  life: {
    state: word('protected', 'failing-over', 'failed-over', 'rolling-back', 'committed', 'returning'),
    branch: maybe(isName),
    position: maybe(isNumber),
    by: maybe(isText),
    time: maybe(isNumber),
    copiedTo: maybe(isText),
    agent: maybe(isText),
    isHeld: maybe(value => typeof value === 'boolean'),
  },
  branches: [
    {
      name: isName,
      id: isNumber,
      kind: word('test', 'fail-over'),
      state: word('making', 'ready', 'dropping'),
      position: isNumber,
      pointTime: isNumber,
      made: isNumber,
      by: isText,
    },
  ],
  nextBranch: isNumber,
}

/** What of a value does not have the shape; undefined where all has. */
function findWrong(shape: Shape, value: unknown, where: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${where} is no object`
  for (const [member, wanted] of Object.entries(shape)) {
    const is = (value as Record<string, unknown>)[member]
    const wrong = findWrongMember(wanted, is, `${where}.${member}`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function findWrongMember(wanted: Check | Shape | readonly [Shape], is: unknown, where: string): string | undefined {
  if (typeof wanted === 'function') return wanted(is) ? undefined : `${where} is ${shown(is)}`
  if (!isList(wanted)) return findWrong(wanted, is, where)
  if (!Array.isArray(is)) return `${where} is no list`
  for (const [index, one] of is.entries()) {
    const wrong = findWrong(wanted[0], one, `${where}[${index}]`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const isList = (shape: Shape | readonly [Shape]): shape is readonly [Shape] => Array.isArray(shape)

/** Limits of a user or a peer. @throws ReplicationError wrong-state, which says which one */
export function checkGroupLimits(limits: GroupLimits): void {
  const wrong = findWrong(limitsShape, limits, 'limits')
  if (wrong !== undefined) throw new ReplicationError('wrong-state', `${wrong}, and not a number of 0 or more`)
}
