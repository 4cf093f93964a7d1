/** The lease that a hub serves under. */
export interface LeaseStatus {
  name: string
  /** Whether this hub has it: it serves then, and only then. */
  isHeld: boolean
  /** Who has it; undefined where nobody has, or nobody knows. */
  holder: string | undefined
  /** That of the holder; of the last one where there is none. */
  epoch: number
  /** Why it is not known who has it, or why it was not renewed. */
  problem: string | undefined
}
