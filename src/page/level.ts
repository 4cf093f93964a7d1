/** How much something matters: `good`; `busy`, which ends by itself; `warn`; `bad`. */
export type Level = 'good' | 'busy' | 'warn' | 'bad'

const order = ['good', 'busy', 'warn', 'bad'] as const satisfies readonly Level[]

/** The level that matters most; `good` where there is none. */
export const worst = (levels: Iterable<Level>): Level => order[Math.max(0, ...[...levels].map(rankOf))]!

/** Sorts what matters most first, and leaves the order of all else. */
export const byLevel = (one: { level: Level }, other: { level: Level }): number =>
  rankOf(other.level) - rankOf(one.level)

const rankOf = (level: Level): number => order.indexOf(level)
