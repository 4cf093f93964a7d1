import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { dom0Command, withoutXen } from '../test/xen/run-in-dom0.js'
import { median, quantile, table } from './statistics.js'

interface Times {
  protocolC: number[]
  protocolD: number[]
  checkpoint: number[]
}

/** A write of 4 KiB that is durable when it is through, on DRBD 8.4 and on a node of ours: both in dom0 of one real Xen, by turns. */
export async function benchDrbd(): Promise<string> {
  if (withoutXen) return withoutXen
  using dom0 = dom0Command('write-latency.js', 580)
  const { stdout } = await promisify(execFile)(dom0.program, dom0.args, { env: dom0.env, maxBuffer: 1 << 24 })
  const line = stdout.split('\n').findLast(line => line.startsWith('{'))
  if (line === undefined) throw new Error(`it did not come to its end: ${stdout.slice(-2000)}`)
  const times = JSON.parse(line) as Times
  const row = (what: string, all: readonly number[]) => [what, median(all).toFixed(1), quantile(all, 0.99).toFixed(1)]
  return table([
    [`ms a write, of ${times.protocolC.length}`, 'median', 'p99'],
    row("DRBD's protocol C", times.protocolC),
    row('protocol D in user space, over NBD', times.protocolD),
    row('and a checkpoint of it, acknowledged', times.checkpoint),
  ])
}
