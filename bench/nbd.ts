import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../test/support/project-root.js'
import { runFio } from './fio.js'
import { memoryOf } from './memory-of.js'
import { median, table } from './statistics.js'
import { untilListening } from './until-listening.js'

const mebibytes = 256
const rounds = 3

const jobs = [
  ...[1, 16, 64].map(depth => ({ name: `4 KiB writes, depth ${depth}`, rw: 'randwrite', bs: '4k', depth })),
  ...[1, 16, 64].map(depth => ({ name: `4 KiB reads, depth ${depth}`, rw: 'randread', bs: '4k', depth })),
  { name: '1 MiB writes in turn', rw: 'write', bs: '1m', depth: 4 },
  { name: '1 MiB reads in turn', rw: 'read', bs: '1m', depth: 4 },
]

type Job = (typeof jobs)[number]

const servers: Record<string, (socket: string, file: string) => [string, ...string[]]> = {
  ours: (socket, file) => [process.execPath, join(projectRoot, 'build/bench/nbd-server.js'), socket, file],
  'qemu-nbd': (socket, file) => ['qemu-nbd', '-f', 'raw', '-t', '-e', '8', '-k', socket, file],
  nbdkit: (socket, file) => ['nbdkit', '-f', '-U', socket, 'file', file],
}

/** Our server, qemu-nbd and nbdkit's file plugin on one file, by turns within each round. */
export async function benchNbd(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nbd-bench-'))
  const file = join(folder, 'disk')
  for (let part = 0; part < mebibytes; part++) writeFileSync(file, Buffer.alloc(1024 * 1024, 1), { flag: 'a' })
  const running: ChildProcess[] = []
  try {
    for (const [name, command] of Object.entries(servers)) {
      const [program, ...args] = command(join(folder, name), file)
      running.push(spawn(program, args, { stdio: 'ignore' }))
      await untilListening(join(folder, name))
    }
    const before = memoryOf(running[0]!.pid!)
    const rates = jobs.map(() => Object.keys(servers).map((): number[] => []))
    for (let round = 0; round < rounds; round++)
      for (const [index, job] of jobs.entries())
        for (const [which, name] of Object.keys(servers).entries())
          rates[index]![which]!.push(await rateOf(join(folder, name), job))
    const rows = jobs.map(({ name }, index) => [name, ...cells(rates[index]!)])
    const memory = `our server's memory: ${before} MiB before, ${memoryOf(running[0]!.pid!)} MiB after`
    return `${table([['operations/s', ...Object.keys(servers), 'of qemu-nbd', 'of nbdkit'], ...rows])}\n${memory}`
  } finally {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The medians, and the medians of the rounds' own ratios. */
function cells(rates: readonly number[][]): string[] {
  const [ours, qemu, nbdkit] = rates as [number[], number[], number[]]
  const ratio = (theirs: number[]) => median(ours.map((rate, round) => rate / theirs[round]!)).toFixed(2)
  return [...rates.map(each => median(each).toFixed(0)), ratio(qemu), ratio(nbdkit)]
}

async function rateOf(socket: string, { rw, bs, depth }: Job): Promise<number> {
  const what = [`--rw=${rw}`, `--bs=${bs}`, `--iodepth=${depth}`, `--size=${mebibytes}m`, '--runtime=1']
  const { read, write } = await runFio(`nbd+unix:///?socket=${socket}`, what)
  return read.iops + write.iops
}
