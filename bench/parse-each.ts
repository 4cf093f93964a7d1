import { parseDisk, safeParseDisk } from 'xenlight'
import type { Libxlutil } from '../test/real/libxlutil.js'
import { shapeNames, specsOf } from './specs.js'
import { table } from './statistics.js'

const calls = 100_000
const repeats = 5
const warmUp = 20_000

/**
 * Nanoseconds a call: one spec of each shape over and over, the best of five loops, once all of them have warmed the
 * compilers up together, so that no call site knows a single shape only.
 */
export async function benchParseEach(libxlutil: Libxlutil): Promise<string> {
  const specs = shapeNames.map(shape => ({ shape, bytes: specsOf(shape)[0]! }))
  for (let round = 0; round < warmUp; round++)
    for (const { bytes } of specs) {
      parseDisk(String(bytes))
      safeParseDisk(String(bytes))
    }
  const rows = [['ns per call, best of 5', 'libxlutil', 'parseDisk', 'ratio', 'safeParseDisk', 'ratio']]
  for (const { shape, bytes } of specs) {
    const spec = String(bytes)
    let [real, throwing, safe] = [Infinity, Infinity, Infinity]
    for (let repeat = 0; repeat < repeats; repeat++) {
      real = Math.min(real, await libxlutil.timeDisks([bytes], calls))
      throwing = Math.min(throwing, timeCalls(parseDisk, spec, calls))
      safe = Math.min(safe, timeCalls(safeParseDisk, spec, calls))
    }
    const ratio = (ours: number) => (ours / real).toFixed(2)
    rows.push([shape, real.toFixed(0), throwing.toFixed(0), ratio(throwing), safe.toFixed(0), ratio(safe)])
  }
  return table(rows)
}

function timeCalls(parse: (spec: string) => unknown, spec: string, count: number): number {
  const start = process.hrtime.bigint()
  for (let left = count; left > 0; left--) parse(spec)
  return Number(process.hrtime.bigint() - start) / count
}
