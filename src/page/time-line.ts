import { pageText } from './page-text.js'

/** A moment, in microseconds since 1970. */
interface Moment {
  position: number
  time: number
}

export interface NamedMoment extends Moment {
  name?: string | undefined
}

/** What of a journal can be started: ranges in which every moment can, and moments that have names. Times in microseconds since 1970. */
export interface TimeLine {
  /** In their order: `[from, to]`. */
  ranges: readonly (readonly [from: number, to: number])[]
  points: readonly { name: string; time: number }[]
  /** How many older ranges and points are left out. */
  more: number
}

const rangesAtMost = 300
const pointsAtMost = 300

/** The newest ranges and points of a journal. */
export function timeLine(history: readonly { from: Moment; to: Moment }[], points: readonly NamedMoment[]): TimeLine {
  const named = points.filter(point => point.name !== undefined)
  const ranges = history.slice(-rangesAtMost)
  const shown = named.slice(-pointsAtMost)
  return {
    // an agent's clock may have gone back
    ranges: ranges.map(({ from, to }) => [from.time, Math.max(from.time, to.time)] as const),
    points: shown.map(({ name = '', time }) => ({ name: pageText(name, 100), time })),
    more: history.length - ranges.length + named.length - shown.length,
  }
}
