import { nearest } from '../xlu/nearest.js'
import type { CommandLine } from './command-line.js'
import type { CompletedOption } from './completion/completed-command.js'
import type { Option } from './option.js'
import { UsageError } from './usage-error.js'

/** What the command is asked to do: the first of its words. @throws UsageError */
export function readVerb<Verb extends string>(word: string | undefined, verbs: readonly Verb[]): Verb {
  if (word === undefined) throw new UsageError(`what is to be done? Write one of ${verbs.join(', ')}`)
  const verb = verbs.find(name => name === word)
  if (verb !== undefined) return verb
  const meant = nearest(word, verbs)
  const hint = meant === undefined ? `write one of ${verbs.join(', ')}` : `did you mean ${meant}?`
  throw new UsageError(`there is no '${word}' (${hint})`)
}

/** Refuses options that are another verb's. @throws UsageError */
export function refuseStrayOptions<Name extends string>(
  { values }: CommandLine<Name>,
  options: readonly (CompletedOption & Option<Name>)[],
  verb: string,
): void {
  for (const { name, of } of options) {
    if (of === undefined || of.includes(verb) || !values.has(name)) continue
    throw new UsageError(`--${name} has no meaning with ${verb} (it is for ${of.join(', ')})`)
  }
}
