/** Time, as an agent uses it. */
export interface AgentClock {
  /** Microseconds since 1970. May jump. */
  now(): number
  /** Milliseconds since some moment. Never goes back. */
  uptime(): number
  /** Calls once, in so many milliseconds. Disposing it takes that back. */
  after(milliseconds: number, call: () => void): Disposable
  /** Calls once, when what has arrived is handled. */
  soon(call: () => void): void
}
