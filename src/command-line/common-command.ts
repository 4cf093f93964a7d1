import type { CompletedCommand } from './completion/completed-command.js'
import { completionScript, type Shell } from './completion/completion-script.js'
import type { Io } from './io.js'
import { version } from './version.js'

/** What every command can be asked. */
export type CommonCommand = { kind: 'help' } | { kind: 'version' } | { kind: 'completion'; shell: Shell }

/** Whether that is asked; whatever else is given does not count then. */
export function readCommonCommand(values: ReadonlyMap<string, readonly string[]>): CommonCommand | undefined {
  if (values.has('help')) return { kind: 'help' }
  if (values.has('version')) return { kind: 'version' }
  const shell = values.get('completion')?.at(-1)
  return shell === undefined ? undefined : { kind: 'completion', shell: shell as Shell }
}

/** Answers it. */
export function runCommonCommand(command: CommonCommand, io: Io, about: CompletedCommand & { help(): string }): void {
  switch (command.kind) {
    case 'help':
      io.write(1, about.help())
      return
    case 'version':
      io.write(1, `${about.name} ${version()}\n`)
      return
    case 'completion':
      io.write(1, completionScript(command.shell, about))
  }
}
