import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { projectRoot } from './project-root.js'

const { TAP } = process.env

/** The rows of golden/NAME (a JSON value a line, gzipped where the name says so); the first line tells the origin. */
export function goldenRows<Row>(name: string): Row[] {
  const bytes = readFileSync(join(projectRoot, 'golden', name))
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const [, ...lines] = text.trimEnd().split('\n')
  if (lines.length === 0) throw new Error(`golden/${name} has no rows: what is compared with it would pass unseen`)
  announceGolden(name, lines.length)
  return lines.map(line => JSON.parse(line) as Row)
}

/** Tells the runner what a test reads, in a comment of TAP, which may stand anywhere; under tap alone. */
export function announceGolden(name: string, cases: number): void {
  if (TAP) process.stdout.write(`# golden/${name}: ${cases} cases\n`)
}
