import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What one kind of operation came to: so many a second, how long they took, in microseconds, and how many bytes there were. */
export interface FioFigures {
  iops: number
  mean: number
  p99: number
  bytes: number
}

/**
 * Has fio read or write a disk over NBD.
 *
 * @param uri `nbd+unix:///NAME?socket=PATH`
 * @param options fio's own: `--rw=randwrite`, `--runtime=2` …
 */
export async function runFio(
  uri: string,
  options: readonly string[],
): Promise<{ read: FioFigures; write: FioFigures }> {
  const where = ['--name=bench', '--ioengine=nbd', `--uri=${uri}`, '--time_based', '--output-format=json']
  const { stdout } = await run('fio', [...where, ...options], { timeout: 600_000 })
  const [{ read, write }] = JSON.parse(stdout.slice(stdout.indexOf('{'))).jobs as [{ read: Job; write: Job }]
  return { read: figuresOf(read), write: figuresOf(write) }
}

interface Job {
  iops: number
  io_bytes: number
  clat_ns: { mean: number; percentile?: Record<string, number> }
}

const figuresOf = ({ iops, io_bytes: bytes, clat_ns: { mean, percentile } }: Job): FioFigures => ({
  iops,
  bytes,
  mean: mean / 1000,
  p99: (percentile?.['99.000000'] ?? 0) / 1000,
})
