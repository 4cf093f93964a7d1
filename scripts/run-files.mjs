import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** How long a file that is told to end has to do so, in milliseconds. */
const grace = 30_000

/**
 * Runs test files, each in a process of its own, so many at a time, in their order; what each writes, its TAP, goes to a file. Not by tap's own
 * runner: what that loads into each process, to know what it imports, takes as long as most files' tests.
 *
 * @param files of each, `file`, and where its TAP goes, `result`
 * @param seconds how long each may take
 * @param ended called with each that has ended, and whether all of its tests passed
 */
export async function runFiles(files, { jobs, seconds, ended }) {
  const rest = files.values()
  const work = async () => {
    for (const one of rest) ended(one, await runFile(one, seconds))
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

async function runFile({ file, result }, seconds) {
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(seconds) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // tap ends what takes too long by itself, and says which test that is
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + grace)
  const output = createWriteStream(result)
  child.stdout.pipe(output)
  const [[code]] = await Promise.all([once(child, 'exit'), once(output, 'finish')])
  clearTimeout(timer)
  return code === 0
}
