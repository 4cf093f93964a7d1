/** Time, as the holder of a lease measures it. */
export interface LeaseClock {
  /** Milliseconds since some moment. Never goes back, is not set, and goes on while the machine sleeps. */
  uptime(): number
  /** Calls once, no earlier than in so many milliseconds. Disposing it takes that back. */
  after(milliseconds: number, call: () => void): Disposable
}
