import type { Option } from './option.js'

/** What every command takes, the last of its options. */
export const commonOptions = [
  {
    name: 'completion',
    takes: 'SHELL',
    values: ['bash', 'zsh', 'fish'],
    help: 'write a completion script for a shell',
  },
  { name: 'version', short: 'V', help: 'write the version' },
  { name: 'help', short: 'h', help: 'write this' },
] as const satisfies readonly Option[]
