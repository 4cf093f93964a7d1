import type { Shell } from '../command.js'
import { bashCompletion } from './bash.js'
import { fishCompletion } from './fish.js'
import { zshCompletion } from './zsh.js'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** A script that teaches a shell the command's verbs and options. */
export const completionScript = (shell: Shell): string => scripts[shell]()
