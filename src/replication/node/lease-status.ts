/** `opening` is a hub that has it, and opens its groups; `held` one that serves. */
export type LeaseHolding = 'standing-by' | 'opening' | 'held' | 'lost'

/** The lease that a hub serves under. */
export interface LeaseStatus {
  name: string
  /** What this hub has of it. */
  state: LeaseHolding
  /** Who has it; undefined where nobody has, or nobody knows. */
  holder: string | undefined
  /** That of the holder; of the last one where there is none. */
  epoch: number
  /** Why it is not known who has it, or why it was not renewed. */
  problem: string | undefined
}
