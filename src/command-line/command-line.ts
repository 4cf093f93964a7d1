import { nearest } from '../xlu/nearest.js'
import type { Option } from './option.js'
import { UsageError } from './usage-error.js'

/** The options that were given, and the words that are none. An option without a value has the value ''. */
export interface CommandLine<Name extends string> {
  values: Map<Name, string[]>
  words: string[]
}

/** The value that counts of an option that was given more than once. */
export const lastValue = <Name extends string>({ values }: CommandLine<Name>, name: Name): string | undefined =>
  values.get(name)?.at(-1)

/**
 * Splits a command line by the options that there are, as getopt_long does: `-ospec`, `-o spec`, `--output=spec`, `--`.
 * By hand, as loading parseArgs of node:util takes longer than reading a disk.
 */
export function readCommandLine<Name extends string>(
  args: readonly string[],
  options: readonly Option<Name>[],
  { plainWord }: { plainWord: string },
): CommandLine<Name> {
  const line: CommandLine<Name> = { values: new Map(), words: [] }
  const rest = args.values()
  for (const arg of rest) {
    if (arg === '--') for (const word of rest) line.words.push(word)
    else if (arg.startsWith('-') && arg !== '-') readOption(arg)
    else line.words.push(arg)
  }
  return line

  function readOption(arg: string): void {
    const read = arg.startsWith('--') ? readLong : readShort
    for (const { given, option, value } of read(arg, options, rest, plainWord)) {
      checkValue(option, given, value)
      line.values.set(option.name, [...(line.values.get(option.name) ?? []), value])
    }
  }
}

interface Given<Name extends string> {
  given: string
  option: Option<Name>
  value: string | undefined
}

function readLong<Name extends string>(
  arg: string,
  options: readonly Option<Name>[],
  rest: Iterator<string>,
  plainWord: string,
): Given<Name>[] {
  const equals = arg.indexOf('=')
  const given = equals < 0 ? arg : arg.slice(0, equals)
  const option = options.find(({ name }) => name === given.slice(2))
  if (option === undefined) throw unknownOption(given, options, plainWord)
  const value = equals < 0 ? undefined : arg.slice(equals + 1)
  if (option.takes === undefined && value !== undefined)
    throw new UsageError(`${given} takes no value, but was given '${value}'`)
  return [{ given, option, value: option.takes === undefined ? '' : (value ?? next(rest)) }]
}

/** One letter or several, the last of which may have its value behind it. */
function readShort<Name extends string>(
  arg: string,
  options: readonly Option<Name>[],
  rest: Iterator<string>,
  plainWord: string,
): Given<Name>[] {
  const found: Given<Name>[] = []
  for (let at = 1; at < arg.length; at++) {
    const given = `-${arg[at]}`
    const option = options.find(({ short }) => short === arg[at])
    if (option === undefined) throw unknownOption(given, options, plainWord)
    if (option.takes !== undefined) return [...found, { given, option, value: arg.slice(at + 1) || next(rest) }]
    found.push({ given, option, value: '' })
  }
  return found
}

const next = (rest: Iterator<string>): string | undefined => {
  const { done, value } = rest.next()
  return done ? undefined : value
}

function checkValue(option: Option, given: string, value: string | undefined): asserts value is string {
  if (value === undefined) throw new UsageError(`${given} needs a value: ${option.values?.join(', ') ?? option.takes}`)
  if (option.values && !option.values.includes(value)) {
    const meant = /\d/.test(value) ? undefined : nearest(value, option.values)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    throw new UsageError(`${given} takes one of ${option.values.join(', ')}, not '${value}'${hint}`)
  }
}

function unknownOption(given: string, options: readonly Option[], plainWord: string): UsageError {
  const names = options.map(({ name }) => name)
  const meant = given.startsWith('--') ? nearest(given.slice(2), names) : undefined
  const hint = meant === undefined ? `a ${plainWord} that begins with '-' comes after '--'` : `did you mean --${meant}?`
  return new UsageError(`there is no option ${given} (${hint})`)
}
