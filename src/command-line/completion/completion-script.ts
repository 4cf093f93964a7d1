import { bashCompletion } from './bash.js'
import type { CompletedCommand } from './completed-command.js'
import { fishCompletion } from './fish.js'
import { zshCompletion } from './zsh.js'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export type Shell = keyof typeof scripts

/** A script that teaches a shell a command's verbs and options. */
export const completionScript = (shell: Shell, command: CompletedCommand): string => scripts[shell](command)
