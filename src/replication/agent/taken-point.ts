/** A checkpoint that the hub has. */
export interface TakenPoint {
  name: string
  sequence: number
  /** In microseconds since 1970, by the agent's clock. */
  time: number
}
