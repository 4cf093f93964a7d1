import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { median, table } from '../statistics.js'
import { atLeast } from './goal.js'
import type { Keeping } from './kept-guest.js'

const rounds = 3

const names: Readonly<Record<Keeping, string>> = {
  nothing: 'unprotected',
  'qemu-nbd': 'on qemu-nbd',
  inline: 'inline',
  cycles: 'one cycle a second',
  child: 'a live child',
  'background mirror': 'blockdev-mirror, background',
  'blocking mirror': 'blockdev-mirror, write-blocking',
}

interface Goal {
  of: Keeping
  what: string
  least: number
}

/** What is to be kept of the rate of another one. */
const goals: Partial<Record<Keeping, Goal>> = {
  inline: { of: 'qemu-nbd', what: 'qemu-nbd', least: 0.9 },
  cycles: { of: 'nothing', what: 'unprotected', least: 0.9 },
}

const goalText = (kept: number, { what, least }: Goal): string =>
  `${kept.toFixed(2)} of ${what}, ${atLeast(kept, least)}`

export interface TurnsOptions {
  title: string
  unit: string
  /** Those that take turns with each other, and with a disk that is not kept at all. */
  sets: readonly (readonly Keeping[])[]
  /** Begins with one; returns what has its turn, and comes to a rate. */
  begin(stack: Teardowns, keeping: Keeping): Promise<() => Promise<number>>
}

/** Rates of some ways to keep a disk, each beside a disk that is not kept, by turns within each round. The first round is not counted. */
export async function byTurns({ title, unit, sets, begin }: TurnsOptions): Promise<string> {
  const rows: string[][] = []
  for (const set of sets) {
    await using stack = new Teardowns()
    const turns = new Map<Keeping, { turn: () => Promise<number>; rates: number[] }>()
    for (const keeping of ['nothing', ...set] as const)
      turns.set(keeping, { turn: await begin(stack, keeping), rates: [] })
    for (let round = 0; round <= rounds; round++)
      for (const { turn, rates } of turns.values()) {
        const rate = await turn()
        if (round > 0) rates.push(rate)
      }
    const kept = (keeping: Keeping, of: Keeping) =>
      median(turns.get(keeping)!.rates.map((rate, round) => rate / turns.get(of)!.rates[round]!))
    for (const [keeping, { rates }] of turns) {
      const goal = goals[keeping]
      const isKept = keeping !== 'nothing'
      rows.push([
        `${isKept ? '  ' : ''}${names[keeping]}`,
        median(rates).toFixed(0),
        isKept ? kept(keeping, 'nothing').toFixed(2) : '',
        goal === undefined ? '' : goalText(kept(keeping, goal.of), goal),
      ])
    }
  }
  return table([[title, unit, 'of unprotected', 'goal'], ...rows])
}
