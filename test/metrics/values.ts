import { expositionText } from '#xenlight/metrics/exposition.js'
import type { Family } from '#xenlight/metrics/family.js'
import { parseExposition } from './parse-exposition.js'

/** The value of a sample, by its name and some of its labels, as a scraper has it; undefined where there is none. */
export function sampleValue(
  families: readonly Family[] | string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const text = typeof families === 'string' ? families : expositionText(families)
  const found = parseExposition(text)
    .flatMap(({ samples }) => samples)
    .filter(
      sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`)
  return found[0]?.value
}

/** The states that there are of a metric with these labels, and the one that is 1. */
export function statesOf(
  families: readonly Family[],
  name: string,
  labels: Readonly<Record<string, string>>,
): { all: string[]; is: string[] } {
  const samples = parseExposition(expositionText(families))
    .flatMap(family => family.samples)
    .filter(
      sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
  const state = ({ labels: { state = '' } }: (typeof samples)[number]) => state
  return { all: samples.map(state), is: samples.filter(({ value }) => value === 1).map(state) }
}
