import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Shape, shapeNames, specsOf } from './specs.js'
import { table } from './statistics.js'

const lines = 1_000_000

/** Disks a second through the command's --batch, and its memory after a tenth of them and at most after that. */
export async function benchBatch(command: string): Promise<string> {
  const rows = [['--batch, 1,000,000 lines', 'specs per second', 'RSS at 10 %', 'highest RSS after']]
  rows.push(await benchLines(command, 'short', ['short']))
  rows.push(await benchLines(command, 'all shapes by turns', shapeNames))
  return table(rows)
}

async function benchLines(command: string, name: string, shapes: readonly Shape[]): Promise<string[]> {
  const columns = shapes.map(specsOf)
  const piece = columns[0]!.flatMap((_, row) => columns.map(column => `${column[row]}\n`))
  const chunk = Buffer.from(piece.join('').repeat(4))
  const chunks = Math.ceil(lines / piece.length / 4)

  const child = spawn(process.execPath, [command, '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const start = performance.now()
  let answers = 0
  let early = 0
  let highest = 0
  const count = async () => {
    for await (const bytes of child.stdout) {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) answers++
    }
  }
  const sampling = setInterval(() => {
    const rss = residentMiB(child.pid!)
    if (answers < lines / 10) early = rss
    else highest = Math.max(highest, rss)
  }, 20)
  await Promise.all([pipeline(Readable.from(repeat(chunk, chunks)), child.stdin), count()])
  const seconds = (performance.now() - start) / 1000
  clearInterval(sampling)
  const expected = chunks * piece.length * 4
  if (answers !== expected) throw new Error(`--batch gave ${answers} lines for ${expected}`)
  return [name, Math.round(answers / seconds).toLocaleString('en'), `${early} MiB`, `${highest} MiB`]
}

function* repeat<T>(item: T, times: number): Generator<T> {
  for (; times > 0; times--) yield item
}

/** What /proc says; 0 once the process is gone. */
function residentMiB(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}
