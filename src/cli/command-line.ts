import { nearest } from '../xlu/nearest.js'
import type { OptionName } from './option-table.js'
import { options } from './option-table.js'
import { UsageError } from './usage-error.js'

/** The options that were given, and the words that are none. An option without a value has the value ''. */
export interface CommandLine {
  values: Map<OptionName, string[]>
  words: string[]
}

/** Splits a command line by the options that there are, as getopt_long does: `-ospec`, `-o spec`, `--output=spec`, `--`. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = process.getBuiltinModule('node:util').parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map(({ name, short, takes }) => [
        name,
        { type: takes === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const line: CommandLine = { values: new Map(), words: [] }
  for (const token of tokens) {
    if (token.kind === 'positional') line.words.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.find(({ name }) => name === token.name)
    if (option === undefined) throw unknownOption(token.rawName)
    const value = checkedValue(option, token.rawName, token.value)
    line.values.set(option.name, [...(line.values.get(option.name) ?? []), value])
  }
  return line
}

function checkedValue(option: (typeof options)[number], given: string, value: string | undefined): string {
  if (option.takes === undefined) {
    if (value !== undefined) throw new UsageError(`${given} takes no value, but was given '${value}'`)
    return ''
  }
  if (value === undefined) throw new UsageError(`${given} needs a value: ${option.values?.join(', ') ?? option.takes}`)
  if (option.values === undefined || option.values.includes(value)) return value
  const meant = nearest(value, option.values)
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  throw new UsageError(`${given} takes one of ${option.values.join(', ')}, not '${value}'${hint}`)
}

function unknownOption(given: string): UsageError {
  const meant = given.startsWith('--')
    ? nearest(
        given.slice(2),
        options.map(({ name }) => name),
      )
    : undefined
  const hint = meant === undefined ? `a SPEC that begins with '-' comes after '--'` : `did you mean --${meant}?`
  return new UsageError(`there is no option ${given} (${hint})`)
}
