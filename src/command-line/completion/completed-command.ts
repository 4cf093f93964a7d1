import type { Option } from '../option.js'

/** One of the things that a command can be asked to do. */
export interface CompletedVerb {
  readonly help: string
  /** Its own words are names of files. */
  readonly files?: boolean
  /** Its own word is one of these. */
  readonly choices?: readonly string[]
}

export interface CompletedOption extends Option {
  /** The verbs that take it; all of them without this. */
  readonly of?: readonly string[]
  /** It may be given more than once. */
  readonly repeated?: boolean
}

/** A command whose first word says what is to be done: what a shell has to know to complete it. */
export interface CompletedCommand {
  /** Lower-case letters and hyphens. */
  readonly name: string
  readonly verbs: Readonly<Record<string, CompletedVerb>>
  readonly options: readonly CompletedOption[]
}

/** What the shells call the function that completes it. */
export const functionName = ({ name }: CompletedCommand): string => `_${name.replaceAll('-', '_')}`

/** The verbs whose words are files. */
export const fileVerbs = ({ verbs }: CompletedCommand): string[] =>
  Object.keys(verbs).filter(verb => verbs[verb]!.files === true)
