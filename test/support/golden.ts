import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** The text of a file in golden/. */
export function golden(name: string): string {
  const bytes = readFileSync(new URL(`../../../golden/${name}`, import.meta.url))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** The rows of a file in golden/ with one JSON value a line. */
export const goldenRows = <Row>(name: string): Row[] =>
  golden(name)
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row)
