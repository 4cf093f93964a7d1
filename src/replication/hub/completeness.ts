import type { VolumeInfo, VolumeReport } from '../wire/message.js'

/**
 * Until when a hub is known to have all that was written to a group: what its agent says of that, counted from the earliest moment at which
 * it can have said so. A hub that was started anew knows nothing before it is told. Times are in milliseconds, as `performance.now` counts.
 */
export class Completeness {
  #until: number | undefined

  /** What an agent says whose stream is taken, and whose newest moment is consistent. @param saidSince it was said after that */
  reported(volumes: readonly VolumeInfo[], said: readonly VolumeReport[], saidSince: number | undefined): void {
    if (saidSince === undefined || volumes.length === 0) return
    const ages = volumes.map(({ name }) => ageOf(said.find(({ volume }) => volume === name)))
    const oldest = Math.max(...ages)
    // of what came late the earlier word counts still
    if (Number.isFinite(oldest)) this.#until = Math.max(this.#until ?? 0, saidSince - oldest * 1000)
  }

  /** How long ago that is, in seconds; undefined where nothing is known of it. */
  secondsSince(now: number): number | undefined {
    return this.#until === undefined ? undefined : Math.max(0, (now - this.#until) / 1000)
  }
}

/** How old the oldest write is that the hub had not acknowledged, in seconds; endless where it is not said, or cannot be. */
function ageOf(report: VolumeReport | undefined): number {
  if (report?.state !== 'protected') return Number.POSITIVE_INFINITY
  const { lag } = report
  const { seconds } = (typeof lag === 'object' && lag !== null ? lag : {}) as { seconds?: unknown }
  return typeof seconds === 'number' && seconds >= 0 ? seconds : Number.POSITIVE_INFINITY
}
