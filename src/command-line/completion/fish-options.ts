import type { CompletedOption } from './completed-command.js'

/** A line for each option of a command. */
export const fishOptions = (program: string, options: readonly CompletedOption[]): string[] =>
  options.map(({ name, short, takes, values, file, of, help }) => {
    const when = of === undefined ? '' : ` -n ${fishAfter(of)}`
    const value = takes === undefined ? '' : values ? ` -x -a ${fishQuote(values.join(' '))}` : file ? ' -r -F' : ' -x'
    return `complete -c ${program}${when}${short ? ` -s ${short}` : ''} -l ${name}${value} -d ${fishQuote(help)}`
  })

/** The condition that one of some verbs was given. */
export const fishAfter = (verbs: readonly string[]): string => `'__fish_seen_subcommand_from ${verbs.join(' ')}'`

export const fishQuote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
