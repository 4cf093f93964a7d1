import { readFileSync } from 'node:fs'

/** What a process has used of a processor so far, in microseconds: the kernel counts in hundredths of a second. */
export function cpuTime({ pid }: { pid: number }): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
