import type { Shell } from '../command.js'
import { bashCompletion } from './bash.js'
import { fishCompletion } from './fish.js'
import { zshCompletion } from './zsh.js'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** A script that teaches a shell the command's options, and the keys and values of a spec. */
export const completionScript = (shell: Shell): string => scripts[shell]()
