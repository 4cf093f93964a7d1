import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a guest did not find of what was durable for one before it. */
export interface Loss {
  numbers: number
  /** From what it found to the last that was promised, in milliseconds. */
  time: number
}

export interface GroupHistory {
  guests: number
  /** The newest number that is to be found. */
  promised: number
  losses: readonly Loss[]
}

/** Reads what all guests have said. @throws Error where two were active */
export function readGroupHistory(folder: string): GroupHistory {
  const entries = readdirSync(folder).flatMap(guest =>
    [...readFileSync(join(folder, guest), 'utf8').matchAll(/^(\d+) (?:promised )?(start|alone) (\d+)\n/gm)].map(
      ([, time, kind, number]) => ({ guest, kind, number: Number(number), time: BigInt(time!) }),
    ),
  )
  entries.sort((first, second) => (first.time < second.time ? -1 : 1))
  const losses: Loss[] = []
  let promises: { number: number; time: bigint }[] = []
  let active = ''
  let guests = 0
  for (const { time, guest, kind, number } of entries) {
    const last = promises.at(-1)
    if (kind === 'start') {
      guests++
      active = guest
      const found = promises.findLast(promise => promise.number <= number)
      if (last !== undefined && last.number > number)
        losses.push({ numbers: last.number - number, time: Number(last.time - (found?.time ?? 0n)) / 1e6 })
      promises = [{ number, time }]
    } else if (guest !== active) throw new Error(`guest ${guest} was promised ${number} while ${active} was active`)
    else promises = [...promises.slice(-5000), { number, time }]
  }
  return { guests, promised: promises.at(-1)?.number ?? 0, losses }
}
