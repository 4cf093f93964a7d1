import { type CompletedCommand, functionName } from './completed-command.js'

export function zshCompletion(command: CompletedCommand): string {
  const { name: program, verbs, options } = command
  const call = functionName(command)
  const argumentsOf = options.map(({ name, short, takes, values, file, repeated, help }) => {
    const value =
      takes === undefined ? '' : `:${plain(takes)}:${values ? `(${values.join(' ')})` : file ? '_files' : ''}`
    const forms = short ? `{-${short},--${name}}` : `--${name}`
    return `${repeated ? "'*'" : ''}${forms}${quote(`[${plain(help)}]${value}`)}`
  })
  const described = Object.entries(verbs).map(([name, { help }]) => quote(`${name}:${plain(help)}`))
  return `#compdef ${program}
# zsh completion for ${program}
${call}_verbs() {
  local -a verbs=(
    ${described.join('\n    ')}
  )
  _describe verb verbs
}
${call}() {
  _arguments -s \\
    ${argumentsOf.join(' \\\n    ')} \\
    '1:verb:${call}_verbs' \\
    '*:file:_files'
}
if [[ \${funcstack[1]} == ${call} ]]; then ${call} "$@"; else compdef ${call} ${program}; fi
`
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Brackets and colons end the parts of an argument to _arguments and _describe. */
const plain = (text: string): string => text.replace(/[[\]:]/g, '\\$&')
