import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Answers of the real libxl, one for each text; texts and answers are bytes without NUL. */
export interface RealLibxl {
  ask: (question: 'json' | 'vdev', texts: readonly Uint8Array[]) => Uint8Array[]
  [Symbol.dispose]: () => void
}

const libraries = ['xenctrl', 'xenguest', 'xenstore', 'xentoollog', 'xenevtchn', 'xendevicemodel']
const more = ['xenforeignmemory', 'xengnttab', 'xencall', 'xentoolcore', 'xenhypfs', 'yajl']

/**
 * Debian's libxl (packages libxen-dev, libyajl-dev and gcc), linked statically for the sake of its internal functions.
 * Where it cannot be built, `missing` says why; under CI that is an error.
 */
export function realLibxl(): { real?: RealLibxl; missing: string | false } {
  const folder = mkdtempSync(join(tmpdir(), 'real-libxl-'))
  const program = join(folder, 'real-libxl')
  const source = fileURLToPath(new URL('../../../test/support/real-libxl.c', import.meta.url))
  const linked = ['-l:libxenlight.a', ...[...libraries, ...more].map(name => `-l${name}`), '-l:libuuid.so.1']
  try {
    execFileSync('gcc', ['-w', '-O1', source, '-o', program, ...linked], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    rmSync(folder, { recursive: true })
    const missing = `the real libxl cannot be built (Debian: gcc libxen-dev libyajl-dev): ${error}`
    if (process.env['CI']) throw new Error(missing)
    return { missing }
  }
  const real: RealLibxl = {
    ask(question, texts) {
      const input = Buffer.concat(texts.flatMap(text => [text, Buffer.of(0)]))
      const { status, stdout } = spawnSync(program, [question], { input, maxBuffer: 2 ** 30 })
      if (status !== 0) throw new Error(`real-libxl exited with ${status}`)
      const answers: Uint8Array[] = []
      for (let start = 0, end: number; start < stdout.length; start = end + 1) {
        end = stdout.indexOf(0, start)
        answers.push(stdout.subarray(start, end))
      }
      return answers
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
  return { real, missing: false }
}
