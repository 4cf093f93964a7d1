import { nearest } from '../xlu/nearest.js'
import type { OptionName } from './option-table.js'
import { options } from './option-table.js'
import { UsageError } from './usage-error.js'

type Option = (typeof options)[number]

/** The options that were given, and the words that are none. An option without a value has the value ''. */
export interface CommandLine {
  values: Map<OptionName, string[]>
  words: string[]
}

/**
 * Splits a command line by the options that there are, as getopt_long does: `-ospec`, `-o spec`, `--output=spec`, `--`.
 * By hand, as loading parseArgs of node:util takes longer than reading a disk.
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const line: CommandLine = { values: new Map(), words: [] }
  const rest = args.values()
  for (const arg of rest) {
    if (arg === '--') for (const word of rest) line.words.push(word)
    else if (arg.startsWith('--')) readLong(line, arg, rest)
    else if (arg.startsWith('-') && arg !== '-') readShort(line, arg, rest)
    else line.words.push(arg)
  }
  return line
}

function readLong(line: CommandLine, arg: string, rest: Iterator<string>): void {
  const equals = arg.indexOf('=')
  const given = equals < 0 ? arg : arg.slice(0, equals)
  const option = options.find(({ name }) => name === given.slice(2))
  if (option === undefined) throw unknownOption(given)
  const value = equals < 0 ? undefined : arg.slice(equals + 1)
  if (option.takes === undefined && value !== undefined)
    throw new UsageError(`${given} takes no value, but was given '${value}'`)
  add(line, option, given, option.takes === undefined ? '' : (value ?? next(rest)))
}

/** One letter or several, the last of which may have its value behind it. */
function readShort(line: CommandLine, arg: string, rest: Iterator<string>): void {
  for (let at = 1; at < arg.length; at++) {
    const given = `-${arg[at]}`
    const option = options.find(({ short }) => short === arg[at])
    if (option === undefined) throw unknownOption(given)
    if (option.takes !== undefined) {
      add(line, option, given, arg.slice(at + 1) || next(rest))
      return
    }
    add(line, option, given, '')
  }
}

const next = (rest: Iterator<string>): string | undefined => {
  const { done, value } = rest.next()
  return done ? undefined : value
}

function add({ values }: CommandLine, option: Option, given: string, value: string | undefined): void {
  if (value === undefined) throw new UsageError(`${given} needs a value: ${option.values?.join(', ') ?? option.takes}`)
  if (option.values && !option.values.includes(value)) {
    const meant = /\d/.test(value) ? undefined : nearest(value, option.values)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    throw new UsageError(`${given} takes one of ${option.values.join(', ')}, not '${value}'${hint}`)
  }
  values.set(option.name, [...(values.get(option.name) ?? []), value])
}

function unknownOption(given: string): UsageError {
  const names = options.map(({ name }) => name)
  const meant = given.startsWith('--') ? nearest(given.slice(2), names) : undefined
  const hint = meant === undefined ? `a SPEC that begins with '-' comes after '--'` : `did you mean --${meant}?`
  return new UsageError(`there is no option ${given} (${hint})`)
}
