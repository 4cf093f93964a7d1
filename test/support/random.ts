/** Numbers that look random and depend on the seed alone. */
export interface Random {
  /** 0 ≤ n < limit, an integer. */
  int(limit: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
}

export function createRandom(seed: number): Random {
  const next = mulberry32(seed)
  const int = (limit: number) => Math.floor(next() * limit)
  return {
    int,
    chance: probability => next() < probability,
    pick: items => items[int(items.length)]!,
  }
}

/** 32 bits of state, good enough to choose what to try. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}
