import { closeSync, constants, fsync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { flock } from '../../flock.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import {
  type Claim,
  claimNumbers,
  claimOf,
  claimPath,
  createClaim,
  openClaim,
  readClaim,
  writeClaim,
} from './claim-file.js'

const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW, O_DIRECTORY } = constants

/** How long it waits for a lock, in milliseconds: somebody who looks whether it is held has it for a moment. */
const lockTimeout = 2000
/** How many claims are kept. Their numbers must not be used again, so the newest stay. */
const claimsKept = 16
/** What a claim's name can say. */
const highestNumber = 9_999_999_999

export interface TermOptions {
  /** The hub's name. */
  who: string
  /** Take the folder from a hub that has it. */
  takeOver?: boolean | undefined
  /** The number to claim, which is higher than all that there are: the epoch of a lease. The next one by default. */
  number?: number | undefined
  /** Takes a lock on an open file: flock(2). @throws where there are no locks */
  lock?: ((descriptor: number, options: { timeout: number }) => Promise<boolean>) | undefined
}

/**
 * Claims the next term of a folder, for as long as this process lives or until it is released.
 *
 * A claim is a file of its own, made exclusively and durably; its number is the term, and the highest number has the folder. That alone is what
 * protects a folder: who has an older term sees it by `stillOwns`. A lock on the claim, held for life, only tells a second hub that the first one is
 * there still; where there are no locks it has to be told so by `takeOver`, unless the first one's process is known to be gone.
 *
 * @throws ReplicationError owned where another hub has it; file-failed
 */
export async function claimTerm(folder: string, options: TermOptions): Promise<Term> {
  const { lock = flock } = options
  const terms = join(folder, 'terms')
  try {
    mkdirSync(terms, { recursive: true, mode: 0o700 })
    await syncFolder(folder)
    // one at a time looks and claims
    const door = openSync(join(terms, 'claiming'), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    try {
      const isAlone = await tryLock(lock, door)
      if (isAlone === false && options.takeOver !== true)
        throw new ReplicationError('owned', `another hub is just claiming ${shown(folder)}: try again, or take over`)
      return await claimNext(folder, terms, { ...options, lock })
    } finally {
      closeSync(door)
    }
  } catch (error) {
    if (error instanceof ReplicationError) throw error
    const why = `cannot claim ${shown(folder)}: ${printable((error as Error).message)}`
    throw new ReplicationError('file-failed', why, { cause: error })
  }
}

/** The highest number of the claims in a folder; 0 where there is none. @throws the system's error */
export function highestClaim(folder: string): number {
  try {
    return claimNumbers(join(folder, 'terms')).at(-1) ?? 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** A claim that was made. */
export class Term {
  readonly number: number
  /** Nobody had the folder any more: what is there, nobody else writes to. */
  readonly wasFree: boolean
  readonly #terms: string
  readonly #descriptor: number
  readonly #claim: Claim
  #isLost = false
  #isReleased = false

  constructor(number: number, wasFree: boolean, terms: string, descriptor: number, claim: Claim) {
    this.number = number
    this.wasFree = wasFree
    this.#terms = terms
    this.#descriptor = descriptor
    this.#claim = claim
  }

  /**
   * Looks whether there is no newer claim. Asked after what is written is durable, and before it is acknowledged or anything that is shared is
   * written: then whoever has claimed a newer term since finds all of it. False for ever once it was.
   *
   * @throws the system's error: nothing is known then
   */
  stillOwns(): boolean {
    if (this.#isLost || this.#isReleased) return false
    const numbers = claimNumbers(this.#terms)
    this.#isLost = numbers.at(-1) !== this.number
    return !this.#isLost
  }

  /** Who has the folder now, for messages. */
  owner(): string {
    const newest = claimNumbers(this.#terms).at(-1)
    return newest === undefined ? 'nobody' : describe(claimOf(this.#terms, newest))
  }

  /** Gives it up: the next hub need not take over. */
  async release(): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
    try {
      await writeClaim(this.#descriptor, { ...this.#claim, isReleased: true })
    } finally {
      closeSync(this.#descriptor)
    }
  }
}

type Locking = Required<Pick<TermOptions, 'lock'>>['lock'] & {}

async function claimNext(folder: string, terms: string, options: TermOptions & { lock: Locking }): Promise<Term> {
  const { who, takeOver, lock } = options
  for (;;) {
    const newest = claimNumbers(terms).at(-1) ?? 0
    const wasFree = newest === 0 || (await isFree(terms, newest, lock))
    if (!wasFree && takeOver !== true) throw owned(folder, terms, newest)
    const number = options.number ?? newest + 1
    if (number > highestNumber) throw new ReplicationError('file-failed', `no claim can have the number ${number}`)
    // whoever has a newer one has it by another store's lease, or by no lease
    if (number <= newest) throw owned(folder, terms, newest)
    let descriptor: number
    try {
      descriptor = createClaim(terms, number)
    } catch (error) {
      // somebody was faster: it is to be asked anew
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    try {
      const isLocked = (await tryLock(lock, descriptor)) === true
      const since = new Date().toISOString()
      const claim: Claim = {
        who,
        host: hostname(),
        boot: bootId(),
        pid: process.pid,
        since,
        isLocked,
        isReleased: false,
      }
      await writeClaim(descriptor, claim)
      await syncFolder(terms)
      const numbers = claimNumbers(terms)
      if (numbers.at(-1) !== number) throw owned(folder, terms, numbers.at(-1)!)
      for (const old of numbers.slice(0, -claimsKept)) rmSync(claimPath(terms, old), { force: true })
      return new Term(number, wasFree, terms, descriptor, claim)
    } catch (error) {
      closeSync(descriptor)
      rmSync(claimPath(terms, number), { force: true })
      throw error
    }
  }
}

/** Whether nobody has a term any more. */
async function isFree(terms: string, number: number, lock: Locking): Promise<boolean> {
  let descriptor: number
  try {
    descriptor = openClaim(terms, number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
  try {
    const isUnlocked = await tryLock(lock, descriptor)
    const claim = readClaim(descriptor)
    if (isUnlocked === false) return false
    if (claim === undefined || claim.isReleased) return true
    const isThisHost = claim.host === hostname()
    const isThisBoot = claim.boot === bootId()
    // a lock of another host may not be seen here
    if (claim.isLocked && isUnlocked === true) return isThisBoot || isThisHost
    return isThisHost && !(isThisBoot && isRunning(claim.pid))
  } finally {
    closeSync(descriptor)
  }
}

/** Whether the lock is had; undefined where there are no locks. */
async function tryLock(lock: Locking, descriptor: number): Promise<boolean | undefined> {
  try {
    return await lock(descriptor, { timeout: lockTimeout })
  } catch {
    return undefined
  }
}

function owned(folder: string, terms: string, number: number): ReplicationError {
  const who = describe(claimOf(terms, number))
  return new ReplicationError('owned', `${shown(folder)} is that of ${who}: end that one, or take over`)
}

const describe = (claim: Claim | undefined): string =>
  claim === undefined
    ? 'another hub'
    : printable(`hub ${claim.who} on ${claim.host} (process ${claim.pid}) since ${claim.since}`)

const shown = (path: string): string => printable(path)

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

async function syncFolder(path: string): Promise<void> {
  const descriptor = openSync(path, O_RDONLY | O_DIRECTORY)
  try {
    await promisify(fsync)(descriptor)
  } catch (error) {
    // some file systems know no sync of folders
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    closeSync(descriptor)
  }
}
