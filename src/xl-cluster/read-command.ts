import { type CommandLine as GivenOptions, lastValue, readCommandLine } from '../command-line/command-line.js'
import { readCommonCommand } from '../command-line/common-command.js'
import { UsageError } from '../command-line/usage-error.js'
import { readVerb, refuseStrayOptions } from '../command-line/verb.js'
import type { Command } from './command.js'
import { type OptionName, options } from './option-table.js'
import { type Verb, verbNames, verbs } from './verbs.js'

type CommandLine = GivenOptions<OptionName>

/** Where Pacemaker looks for the agents of a provider. */
const usualFolder = '/usr/lib/ocf/resource.d/xenlight'
/** How long a reason may be, in characters. */
const reasonAtMost = 256

/** @throws UsageError */
export function readCommand(args: readonly string[]): Command {
  const line = readCommandLine(args, options, { plainWord: 'word' })
  const common = readCommonCommand(line.values)
  if (common !== undefined) return common
  const [word, ...words] = line.words
  const verb = readVerb(word, verbNames)
  refuseStrayOptions(line, options, verb)
  switch (verb) {
    case 'install': {
      const [folder = usualFolder, ...more] = words
      if (folder === '' || more.length > 0) throw wrongWords(verb, words)
      return { kind: verb, folder }
    }
    case 'force':
      return force(line, words)
    case 'ocf': {
      const [type = '', action = '', ...more] = words
      if (type === '' || action === '' || more.length > 0) throw wrongWords(verb, words)
      return { kind: verb, type, action }
    }
    case 'arbiter': {
      const [question, number = '', ...more] = words
      if ((question !== 'alone' && question !== 'equal') || !/^\d+$/.test(number) || more.length > 0)
        throw wrongWords(verb, words)
      return { kind: verb, question }
    }
    case 'serve': {
      const [folder = '', ...more] = words
      if (!folder.startsWith('/') || more.length > 0) throw wrongWords(verb, words)
      return { kind: verb, folder }
    }
  }
}

function force(line: CommandLine, words: readonly string[]): Command {
  const [resource = '', node = '', ...more] = words
  if (!isName(resource) || !isName(node) || more.length > 0) throw wrongWords('force', words)
  const reason = lastValue(line, 'reason')?.trim() ?? ''
  if (reason === '' || reason.length > reasonAtMost || /[^\x20-\x7e]/.test(reason))
    throw new UsageError(
      `force needs --reason TEXT, 1 to ${reasonAtMost} characters of ASCII: what was written elsewhere is lost`,
    )
  return { kind: 'force', resource, node, reason }
}

const isName = (text: string): boolean => /^[A-Za-z_][\w.-]{0,63}$/.test(text)

const wrongWords = (verb: Verb, words: readonly string[]): UsageError =>
  new UsageError(`${verb} takes other words than '${words.join(' ')}':${verbs[verb].words}`)
