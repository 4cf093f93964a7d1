import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { agents } from '../../cluster/agents.js'
import { hangsAfter } from '../../cluster/node/read-state.js'
import type { Io } from '../../command-line/io.js'
import { UsageError } from '../../command-line/usage-error.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { commandFile } from '../own-files.js'

/** Writes the resource agents, each with the Node and the command that it is to call. */
export function runInstall({ folder }: Extract<Command, { kind: 'install' }>, io: Io): number {
  const text = readFileSync(join(dirname(commandFile), '../../ocf/agent.sh'), 'utf8')
  const places = { '@NODE@': process.execPath, '@COMMAND@': commandFile }
  for (const path of Object.values(places))
    if (/['\n]/.test(path))
      throw new UsageError(`an agent cannot call what is at ${path}: install it at a plainer path`)
  mkdirSync(folder, { recursive: true })
  for (const { name } of agents) {
    const words: Readonly<Record<string, string>> = { ...places, '@TYPE@': name, '@FRESH@': `${hangsAfter}` }
    const file = join(folder, name)
    // a manager that calls it at this moment has the old one or the new one
    const written = `${file}.${process.pid}.new`
    writeFileSync(
      written,
      text.replaceAll(/@[A-Z]+@/g, word => words[word] ?? word),
      { mode: 0o755 },
    )
    renameSync(written, file)
    io.write(1, `${file}\n`)
  }
  return exitStatus('done')
}
