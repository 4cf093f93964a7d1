import { spawnSync } from 'node:child_process'
import { median, table } from './statistics.js'

const rounds = 31

/** How long the command takes for one disk, beside Node.js that does nothing. */
export function benchStart(command: string): string {
  const nothing = ['-e', '0']
  const parse = [command, '/dev/vg/guest-volume,raw,hda,rw']
  const pairs = Array.from({ length: rounds + 1 }, (_, round) => {
    const order = round % 2 === 0 ? [nothing, parse] : [parse, nothing]
    const times = new Map(order.map(args => [args, time(args)]))
    return { idle: times.get(nothing)!, ours: times.get(parse)! }
  }).slice(1)
  const ms = (times: number[]) => median(times).toFixed(1)
  const ratio = median(pairs.map(({ idle, ours }) => ours / idle)).toFixed(2)
  return table([
    ['ms per start', 'node -e 0', 'xl-disk-parse', 'ratio'],
    ['one disk', ms(pairs.map(({ idle }) => idle)), ms(pairs.map(({ ours }) => ours)), ratio],
  ])
}

function time(args: string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')}: exit status ${status}\n${stderr}`)
  return performance.now() - start
}
