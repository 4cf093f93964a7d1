import { Buffer } from 'node:buffer'
import { closeSync, constants, fdatasync, ftruncateSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants

/** What somebody who claims a term says of itself. */
export interface Claim {
  /** The hub's name. */
  who: string
  host: string
  /** Which start of the host's kernel. */
  boot: string
  pid: number
  /** ISO 8601. */
  since: string
  /** Whether it holds a lock on the file as long as it lives. */
  isLocked: boolean
  /** Whether it has given up the term. */
  isReleased: boolean
}

/** How long a claim may be, in bytes. */
const claimAtMost = 4096
const digits = 10

const nameOf = (number: number): string => String(number).padStart(digits, '0')

/** The numbers of the claims in a folder, in order. @throws the system's error */
export const claimNumbers = (folder: string): number[] =>
  readdirSync(folder)
    .filter(name => /^\d{10}$/.test(name))
    .map(Number)
    .sort((one, other) => one - other)

/** @throws the system's error; EEXIST where the number is claimed */
export const createClaim = (folder: string, number: number): number =>
  openSync(join(folder, nameOf(number)), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)

/** @throws the system's error; ENOENT where there is none any more */
export const openClaim = (folder: string, number: number): number =>
  openSync(join(folder, nameOf(number)), O_RDWR | O_NOFOLLOW | O_NONBLOCK)

export const claimPath = (folder: string, number: number): string => join(folder, nameOf(number))

/** Writes what a claim says, durably. */
export async function writeClaim(descriptor: number, claim: Claim): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(claim)}\n`)
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at)
  ftruncateSync(descriptor, bytes.length)
  await promisify(fdatasync)(descriptor)
}

/** Undefined of one that was not written to its end: whoever made it never had the term. */
export function readClaim(descriptor: number): Claim | undefined {
  const bytes = Buffer.alloc(claimAtMost)
  const length = readSync(descriptor, bytes, 0, bytes.length, 0)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8', 0, length))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { who, host, boot, pid, since, isLocked, isReleased } = value as Readonly<Record<string, unknown>>
  const areTexts = [who, host, boot, since].every(text => typeof text === 'string')
  if (!areTexts || !Number.isSafeInteger(pid) || typeof isLocked !== 'boolean' || typeof isReleased !== 'boolean')
    return undefined
  return value as Claim
}

/** As `readClaim`, of one by its number; undefined also where it is not there any more. */
export function claimOf(folder: string, number: number): Claim | undefined {
  let descriptor: number
  try {
    descriptor = openClaim(folder, number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return readClaim(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
