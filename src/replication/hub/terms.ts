import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'
import { ReplicationError } from '../replication-error.js'
import { copyFolder } from './copy-folder.js'
import { fileError } from './file-error.js'
import { systemCode } from './system-code.js'

/** A hub's claim to a group: all that it writes of it is in the folder of its term. */
export interface Term {
  number: number
  owner: string
}

const claimShape = /^owner-(\d{10})$/
const claimName = (term: number) => `owner-${String(term).padStart(10, '0')}`
const recordName = 'group.json'
/** How often a copy is tried of a group whose former hub still writes. */
const copiesAtMost = 5

/** The folder of a term, in the group's. */
export const termFolder = (group: Folder, term: number): Folder => group.folder(String(term))

/** The numbers of the claims to a group, the newest first. */
const claimsTo = (group: Folder): number[] =>
  group
    .list()
    .flatMap(name => Number(claimShape.exec(name)?.[1] ?? []))
    .sort((a, b) => b - a)

/** The newest claim to a group that is newer than a term; undefined where there is none. */
export function newestTerm(group: Folder, than = 0): Term | undefined {
  for (const number of claimsTo(group)) {
    if (number <= than) return undefined
    const owner = readOwner(group, claimName(number))
    // whoever began to write it never had the group
    if (owner !== '') return { number, owner }
  }
  return undefined
}

/** @throws ReplicationError owned where there is a newer claim than this one */
export function checkTerm(group: Folder, name: string, { number }: Term): void {
  const newest = newestTerm(group, number)
  if (newest !== undefined) throw owned(name, newest)
}

/** The highest number that any of these groups was claimed with; 0 where none was. */
export const highestTerm = (groups: Folder): number =>
  groups.folders().reduce((most, name) => Math.max(most, claimsTo(groups.folder(name))[0] ?? 0), 0)

/** Which groups a hub takes over: those of other hubs, or also those of one of its own name, which may still write. */
export type TakeOverOf = boolean | 'others'

/** That a hub has its data under a lease. */
export interface TermLease {
  /** Each claim that it makes has this number, so that one of an earlier holder, which comes late, is none. */
  epoch: number
  /** Asked right before a claim is made, and before anything is acknowledged. @throws ReplicationError owned where it is not held any more */
  check(): void
}

export interface OwnTermOptions {
  /** The hub's name. */
  hub: string
  takeOver: TakeOverOf
  lease?: TermLease | undefined
}

/**
 * The term in which this hub has the group: its own, or a new one where nobody has the group, or it is to be taken over. Then all of the
 * former term is copied: the former hub may still write there, and does no harm.
 *
 * @throws ReplicationError owned, in-use where another one takes it at this moment, file-failed, full
 */
export async function ownTerm(group: Folder, name: string, options: OwnTermOptions): Promise<Term> {
  const { hub, takeOver, lease } = options
  const newest = newestTerm(group)
  if (newest !== undefined && newest.owner !== hub && takeOver === false) throw owned(name, newest)
  const isOwn = newest?.owner === hub && (takeOver !== true || newest.number === lease?.epoch)
  const term = isOwn ? newest : await claim(group, name, { number: nextNumber(group, name, lease), owner: hub })
  if (!hasRecord(group, term.number)) {
    const former = lastTermBefore(group, term.number)
    if (former !== undefined) {
      await copyTerm(group, name, former, term.number)
      // a lease goes from hub to hub without anybody who would look after the disk
      if (lease !== undefined) await removeTermsBefore(group, name, former)
    }
  }
  return term
}

/** @throws ReplicationError owned where a claim with the lease's number would be none */
function nextNumber(group: Folder, name: string, lease: TermLease | undefined): number {
  const highest = claimsTo(group)[0] ?? 0
  if (lease === undefined) return highest + 1
  lease.check()
  if (lease.epoch > highest) return lease.epoch
  throw owned(name, newestTerm(group) ?? { number: highest, owner: 'somebody' })
}

async function claim(group: Folder, name: string, term: Term): Promise<Term> {
  try {
    const file = group.open(claimName(term.number), 'create')
    try {
      file.write(0, Buffer.from(term.owner))
      await file.sync()
      await group.sync()
    } catch (error) {
      removeClaim(group, term.number)
      throw error
    } finally {
      file.close()
    }
    return term
  } catch (error) {
    if (systemCode(error) === 'EEXIST')
      throw new ReplicationError('in-use', `another hub takes the group ${name} at this moment: look again`)
    throw fileError(`the group ${name} cannot be taken`, error)
  }
}

/** Half a name would be that of somebody else. */
function removeClaim(group: Folder, number: number): void {
  try {
    group.remove(claimName(number))
  } catch {
    // an empty one is nobody's
  }
}

/** The numbers of the terms that hubs began to write in, the newest first. */
const termsOf = (group: Folder): number[] =>
  group
    .folders()
    .filter(name => /^[1-9]\d{0,9}$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)

/** The newest term before this one that is whole. */
const lastTermBefore = (group: Folder, term: number): number | undefined =>
  termsOf(group).find(number => number < term && hasRecord(group, number))

/** The former term stays; what was before that one is all in it. */
async function removeTermsBefore(group: Folder, name: string, former: number): Promise<void> {
  try {
    for (const number of termsOf(group)) if (number < former) group.remove(String(number))
    await group.sync()
  } catch (error) {
    throw fileError(`the earlier terms of the group ${name} cannot be removed`, error)
  }
}

const hasRecord = (group: Folder, term: number): boolean =>
  group.folders().includes(String(term)) && termFolder(group, term).list().includes(recordName)

/** The record is copied last: with it, the copy is whole. */
async function copyTerm(group: Folder, name: string, from: number, to: number): Promise<void> {
  try {
    for (let tries = 1; tries <= copiesAtMost; tries++) {
      if (group.folders().includes(String(to))) group.remove(String(to))
      if (!(await copyFolder(termFolder(group, from), termFolder(group, to), recordName))) continue
      await group.sync()
      return
    }
  } catch (error) {
    throw fileError(`the group ${name} cannot be copied from its former hub's term`, error)
  }
  throw new ReplicationError(
    'in-use',
    `the former hub of the group ${name} still folds its history: end it, or try again`,
  )
}

function readOwner(group: Folder, name: string): string {
  const file = group.open(name, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(file.size, 256))
    return bytes.toString('utf8', 0, file.readInto(0, bytes))
  } finally {
    file.close()
  }
}

const owned = (name: string, { number, owner }: Term) =>
  new ReplicationError(
    'owned',
    `the group ${name} belongs to the hub ${owner} (term ${number}): end that one and take the group over, or leave it to it`,
  )
