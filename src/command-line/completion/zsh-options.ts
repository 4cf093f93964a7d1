import type { CompletedOption } from './completed-command.js'

/** The arguments of _arguments that stand for options. */
export const zshOptions = (options: readonly CompletedOption[]): string[] =>
  options.map(({ name, short, takes, values, file, repeated, help }) => {
    const value =
      takes === undefined ? '' : `:${zshPlain(takes)}:${values ? `(${values.join(' ')})` : file ? '_files' : ''}`
    const forms = short ? `{-${short},--${name}}` : `--${name}`
    return `${repeated ? "'*'" : ''}${forms}${zshQuote(`[${zshPlain(help)}]${value}`)}`
  })

export const zshQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Brackets and colons end the parts of an argument to _arguments, _describe and _values. */
export const zshPlain = (text: string): string => text.replace(/[[\]:]/g, '\\$&')
