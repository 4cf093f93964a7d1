import { Histogram, usualBounds } from '../../metrics/histogram.js'

/** What was counted of a node since it was opened. */
export class DiskCounts {
  /** How long the peer took to acknowledge checkpoints. */
  readonly checkpoints = new Histogram(usualBounds)
  #acknowledgedAt: number | undefined
  #failOvers = 0
  /** The last one that was sent: one is asked for again where nothing was written. */
  #sent = 0

  /** When the last one was acknowledged, in milliseconds since 1970. */
  get acknowledgedAt(): number | undefined {
    return this.#acknowledgedAt
  }

  /** How often it became Primary without its peer. */
  get failOvers(): number {
    return this.#failOvers
  }

  /** A checkpoint was sent. @returns what to call when it is acknowledged; undefined where that one is waited for already */
  sent(checkpoint: number): (() => void) | undefined {
    if (checkpoint === this.#sent) return undefined
    this.#sent = checkpoint
    const start = performance.now()
    return () => {
      this.checkpoints.observe((performance.now() - start) / 1000)
      this.#acknowledgedAt = Date.now()
    }
  }

  failedOver(): void {
    this.#failOvers++
  }
}
