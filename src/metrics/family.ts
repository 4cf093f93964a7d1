import type { Histogram } from './histogram.js'

export type Labels = Readonly<Record<string, string>>

/** A value with its labels. */
export type Sample = readonly [labels: Labels, value: number]

/** All samples of a metric, and what it is. */
export type Family = { name: string; help: string } & (
  | { type: 'gauge' | 'counter'; samples: readonly Sample[] }
  | { type: 'histogram'; samples: readonly (readonly [labels: Labels, value: Histogram])[] }
)

/** A value that may be unknown, which is left out then. */
type MaybeSample = readonly [labels: Labels, value: number | boolean | undefined]

/** What goes up and down. */
export const gauge = (name: string, help: string, samples: readonly MaybeSample[]): Family => ({
  ...{ name, help, type: 'gauge' },
  samples: known(samples),
})

/** What only grows while the process runs; its name ends in `_total`. */
export const counter = (name: string, help: string, samples: readonly MaybeSample[]): Family => ({
  ...{ name, help, type: 'counter' },
  samples: known(samples),
})

export const histogram = (
  name: string,
  help: string,
  samples: readonly (readonly [labels: Labels, value: Histogram])[],
): Family => ({ name, help, type: 'histogram', samples })

/** A sample for each state that there may be: 1 for the one that it is in, 0 for all others. */
export const stateSamples = <State extends string>(
  labels: Labels,
  states: readonly State[],
  is: NoInfer<State>,
): Sample[] => states.map(state => [{ ...labels, state }, state === is ? 1 : 0])

const known = (samples: readonly MaybeSample[]): Sample[] =>
  samples.flatMap(([labels, value]) => (value === undefined ? [] : [[labels, Number(value)] as const]))
