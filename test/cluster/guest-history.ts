import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Entry {
  /** On the machine's monotonic clock, in nanoseconds. */
  time: bigint
  guest: string
  kind: string
  number: number
}

export interface History {
  guests: number
  /** The newest number that a guest was promised. */
  promised: number
  /** How many were promised by a checkpoint, and how many of a node alone. */
  byCheckpoint: number
  alone: number
  /** When the last promise was made. */
  last: bigint
  /** The longest time between two promises, in milliseconds, of those after `since`. */
  longestGap: number
}

/**
 * Reads what all guests have said, and holds it against what must be so.
 *
 * @param since on the monotonic clock, in nanoseconds
 * @throws Error where something promised is gone, or two were active
 */
export function readHistory(folder: string, since = 0n): History {
  const entries = readdirSync(folder).flatMap(guest => entriesOf(guest, readFileSync(join(folder, guest), 'utf8')))
  entries.sort((first, second) => (first.time < second.time ? -1 : 1))
  const history = { guests: 0, promised: 0, byCheckpoint: 0, alone: 0, last: 0n, longestGap: 0 }
  let active = ''
  for (const { time, guest, kind, number } of entries) {
    if (kind === 'start') {
      if (number < history.promised)
        throw new Error(`guest ${guest} found ${number}, and ${history.promised} was promised`)
      active = guest
      history.guests++
      continue
    }
    if (guest !== active) throw new Error(`guest ${guest} was promised ${number} while ${active} was active`)
    if (history.last > 0n && time > since)
      history.longestGap = Math.max(history.longestGap, Number(time - history.last) / 1e6)
    history.promised = number
    history.last = time
    if (kind === 'checkpoint') history.byCheckpoint++
    else history.alone++
  }
  return history
}

/** A line that was cut off is none: the guest was killed. */
const entriesOf = (guest: string, text: string): Entry[] =>
  [...text.matchAll(/^(\d+) (?:promised )?(start|checkpoint|alone) (\d+)\n/gm)].map(([, time, kind, number]) => ({
    ...{ guest, kind: kind!, number: Number(number), time: BigInt(time!) },
  }))
