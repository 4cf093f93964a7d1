import { printable } from '../printable.js'
import type { Family, Labels } from './family.js'
import type { Histogram } from './histogram.js'

/** The type of `expositionText`, for HTTP. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

/** How long a label's value may be, in characters: those of others may be of any length. */
const valueAtMost = 200

/** Writes families in Prometheus' text format, version 0.0.4. Those without samples are left out. */
export function expositionText(families: readonly Family[]): string {
  return families.map(familyText).join('')
}

function familyText(family: Family): string {
  const { name, help, type } = family
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`]
  const head = lines.length
  // a second sample of the same labels would make a scraper reject all there is
  const seen = new Set<string>()
  for (const [labels, value] of family.samples) {
    const text = labelsText(labels)
    if (seen.has(text)) continue
    seen.add(text)
    if (typeof value === 'number') lines.push(`${name}${braced(text)} ${numberText(value)}`)
    else lines.push(...histogramLines(name, text, value))
  }
  return lines.length === head ? '' : `${lines.join('\n')}\n`
}

function histogramLines(name: string, labels: string, { bounds, counts, sum }: Histogram): string[] {
  const before = labels === '' ? '' : `${labels},`
  let below = 0
  const buckets = counts.map((count, index) => {
    below += count
    return `${name}_bucket{${before}le="${numberText(bounds[index] ?? Number.POSITIVE_INFINITY)}"} ${below}`
  })
  return [...buckets, `${name}_sum${braced(labels)} ${numberText(sum)}`, `${name}_count${braced(labels)} ${below}`]
}

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`)

const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${valueText(value)}"`)
    .join(',')

/** What is shown on a dashboard is safe to show. */
const valueText = (value: string): string =>
  escaped(printable(value.slice(0, valueAtMost))).replaceAll('"', String.raw`\"`)

const escaped = (text: string): string => text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
