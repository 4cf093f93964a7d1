import { commonOptions } from '../command-line/common-options.js'
import type { CompletedOption } from '../command-line/completion/completed-command.js'
import type { Option } from '../command-line/option.js'
import type { Verb } from './verbs.js'

interface VerbOption extends CompletedOption {
  readonly of?: readonly Verb[]
}

const optionTable = [
  { name: 'reason', takes: 'TEXT', of: ['force'], help: 'why; it is kept in the cluster' },
  ...commonOptions,
] as const satisfies readonly VerbOption[]

export type OptionName = (typeof optionTable)[number]['name']

/** Every option of the command: read by the parser, by --help and by --completion. */
export const options: readonly (VerbOption & Option<OptionName>)[] = optionTable
