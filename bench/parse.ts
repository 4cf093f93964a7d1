import { parseDisk, safeParseDisk } from 'xenlight'
import type { Libxlutil } from '../test/real/libxlutil.js'
import { type Shape, shapeNames, specsOf } from './specs.js'
import { median, table } from './statistics.js'

const rounds = 41
const specsARound = 16_384

/** Nanoseconds a spec, libxlutil and ours by turns in one run; the ratio is the median of the rounds' own ratios. */
export async function benchParse(libxlutil: Libxlutil): Promise<string> {
  const rows = [['ns per spec', 'bytes', 'libxlutil', 'parseDisk', 'ratio', 'safeParseDisk', 'ratio']]
  for (const shape of shapeNames) rows.push(await benchShape(libxlutil, shape))
  return table(rows)
}

async function benchShape(libxlutil: Libxlutil, shape: Shape): Promise<string[]> {
  const bytes = specsOf(shape)
  const specs = bytes.map(String)
  const timeReal = () => libxlutil.timeDisks(bytes, specsARound / bytes.length)
  const real: number[] = []
  const throwing: number[] = []
  const safe: number[] = []
  for (let round = -5; round < rounds; round++) {
    const times = [await timeReal(), timeOurs(specs, parses), timeOurs(specs, safelyParses)] as const
    // The first rounds are for the compilers to warm up.
    if (round < 0) continue
    real.push(times[0])
    throwing.push(times[1])
    safe.push(times[2])
  }
  const ratio = (ours: number[]) => median(ours.map((time, round) => time / real[round]!)).toFixed(2)
  const ns = (times: number[]) => median(times).toFixed(0)
  return [shape, String(bytes[0]!.length), ns(real), ns(throwing), ratio(throwing), ns(safe), ratio(safe)]
}

const parses = (spec: string) => parseDisk(spec).vdev === undefined
const safelyParses = (spec: string) => !safeParseDisk(spec).success

function timeOurs(specs: readonly string[], refused: (spec: string) => boolean): number {
  const start = process.hrtime.bigint()
  for (let round = specsARound / specs.length; round > 0; round--)
    for (const spec of specs) if (refused(spec)) throw new Error(`a spec to time was refused: ${spec}`)
  return Number(process.hrtime.bigint() - start) / specsARound
}
