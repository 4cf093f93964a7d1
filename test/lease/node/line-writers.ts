import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Staying, staying } from '../../support/staying.js'

const program = fileURLToPath(new URL('line-writer.js', import.meta.url))

export interface LineWriters {
  /** What they write to. */
  file: string
  start(holder: string, way?: 'careful' | 'careless'): Staying
  end(): Promise<void>
}

/** Processes that want one lease, and write to one file while they have it. */
export function lineWriters(t: Test, endpoints: readonly string[], ttl: number): LineWriters {
  const folder = mkdtempSync(join(tmpdir(), 'lines-'))
  const file = join(folder, 'lines')
  writeFileSync(file, '')
  const all: Staying[] = []
  const end = async () => {
    for (const { child } of all) child.kill('SIGKILL')
    await Promise.all(all.map(({ ended }) => ended))
  }
  t.teardown(async () => {
    await end()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    file,
    start(holder, way = 'careful') {
      const args = [program, endpoints.join(','), file, basename(folder), holder, String(ttl), way]
      // without the loaders that tap gives its children
      const { NODE_OPTIONS: _, ...env } = process.env
      const one = staying(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env }))
      all.push(one)
      return one
    },
    end,
  }
}
